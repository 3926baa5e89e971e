#pragma once

#include <string_view>

/// The Lua text of the scripts that read one transaction.
namespace concerto::persist {

// What a read of one transaction returns: {record, score, time, owner, branches, gid}. `owner`
// is what `holder` says.
inline constexpr std::string_view show_text = R"lua(
local function show(raw, g, score, now, list, me, gid)
  return {raw, tostring(score), string.format('%.6f', now), holder(g, score, me), list, gid}
end
)lua";

// KEYS: g b s. ARGV: `short` or `full`. Returns {}, {record, branches}, or {why it is damaged}. The
// short way answers for what ends as a healthy transaction does; whoever reads the answer checks
// the rest.
inline constexpr std::string_view load_first = R"lua(
local function read_healthy()
  local try = redis.pcall
  local raw = try('GET', KEYS[1])
  local at = type(raw) == 'string' and string.find(raw, ' "node":"', -400, true)
  local status = at and string.match(raw, '^ "node":"[^"]*","change":%d+},"update_time":"[^"]*",'
    .. '"status":"(%a+)","[fo]%a+_?%a*":"[^"]*"} *$', at)
  if not status or try('GET', KEYS[3]) ~= status then return nil end
  local list = try('LRANGE', KEYS[2], 0, -1)
  return list[1] and {raw, list}
end
local healthy = ARGV[1] == 'short' and read_healthy()
if healthy then return healthy end
)lua";
inline constexpr std::string_view load_text = R"lua(
local g, raw, list = sound(KEYS[1], KEYS[2], KEYS[3])
return {raw, list}
)lua";

}  // namespace concerto::persist
