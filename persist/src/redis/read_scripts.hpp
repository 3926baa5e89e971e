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

// {record, branches} of what ends as a healthy transaction does; whoever reads the answer checks
// the rest. Nil for any other.
inline constexpr std::string_view healthy_text = R"lua(
local function read_healthy(record, branches, guard)
  local try = redis.pcall
  local raw = try('GET', record)
  local at = type(raw) == 'string' and string.find(raw, ' "node":"', -400, true)
  local status = at and string.match(raw, '^ "node":"[^"]*","change":%d+},"update_time":"[^"]*",'
    .. '"status":"(%a+)","[fo]%a+_?%a*":"[^"]*"} *$', at)
  if not status or try('GET', guard) ~= status then return nil end
  local list = try('LRANGE', branches, 0, -1)
  return list[1] and {raw, list}
end
)lua";

// KEYS: g b s. ARGV: `short` or `full`. Returns {}, {record, branches}, or {why it is damaged}.
inline constexpr std::string_view load_first = R"lua(
local healthy = ARGV[1] == 'short' and read_healthy(KEYS[1], KEYS[2], KEYS[3])
if healthy then return healthy end
)lua";
inline constexpr std::string_view load_text = R"lua(
local g, raw, list = sound(KEYS[1], KEYS[2], KEYS[3])
return {raw, list}
)lua";

// KEYS: u. ARGV: prefix, gids. Returns {record, branches} of each, {} of one to be read alone.
inline constexpr std::string_view load_many_text = R"lua(
local found = {}
for k = 2, #ARGV do
  local gid = ARGV[k]
  found[k - 1] = read_healthy(ARGV[1] .. '_g_' .. gid, ARGV[1] .. '_b_' .. gid,
                              ARGV[1] .. '_s_' .. gid) or {}
end
return found
)lua";

}  // namespace concerto::persist
