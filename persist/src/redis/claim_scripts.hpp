#pragma once

#include <string_view>

/// The Lua text of the scripts for claims, key-value records and the index.
namespace concerto::persist {

// KEYS: g b u s. ARGV: node, gid, lease in s, 1 to take it from another node too, TTL in s.
// Returns {} or {1 if it is ours, what is shown}.
inline constexpr std::string_view claim_text = R"lua(
local raw = redis.call('GET', KEYS[1])
if not raw then return {} end
local g = cjson.decode(raw)
local now = time()
local score = score_of(KEYS[3], ARGV[2])
local shown = show(raw, g, score, now, KEYS[2], ARGV[1], ARGV[2])
local held = shown[4]
if is_final(redis.call('GET', KEYS[4]) or g.status) then return {0, shown} end
local free = held == 'me' or held == 'nobody' or score <= now
if not free and ARGV[4] ~= '1' then return {0, shown} end
g.concerto = g.concerto or {}
g.owner = ARGV[1]
redis.call('SET', KEYS[1], cjson.encode(g), 'EX', ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('ZADD', KEYS[3], lease_end(now, tonumber(ARGV[3])), ARGV[2])
return {1, shown}
)lua";

// KEYS: u. ARGV: node, prefix, lease in s, limit, TTL in s. Returns what is shown of each; of a
// damaged one, which stays as it is and is due again after the time of a lease, {gid, why}.
inline constexpr std::string_view claim_due_text = R"lua(
local now = time()
-- Reads everything before anything is written. Nil if the transaction is finished.
local function taken(raw, gid, score)
  local g = cjson.decode(raw)
  if is_final(redis.call('GET', ARGV[2] .. '_s_' .. gid) or g.status) then return nil end
  local shown = show(raw, g, score, now, ARGV[2] .. '_b_' .. gid, ARGV[1], gid)
  g.concerto = g.concerto or {}
  g.owner = ARGV[1]
  return {shown = shown, record = cjson.encode(g)}
end
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', now),
                       'WITHSCORES', 'LIMIT', 0, ARGV[4])
local found = {}
for k = 1, #due, 2 do
  local gid = due[k]
  local key = ARGV[2] .. '_g_' .. gid
  local raw = redis.call('GET', key)
  local readable, trans = true, nil
  if raw then readable, trans = pcall(taken, raw, gid, tonumber(due[k + 1])) end
  if readable and not trans then
    redis.call('ZREM', KEYS[1], gid)
  else
    if readable then
      found[#found + 1] = trans.shown
      redis.call('SET', key, trans.record, 'EX', ARGV[5])
      redis.call('EXPIRE', ARGV[2] .. '_b_' .. gid, ARGV[5])
      redis.call('EXPIRE', ARGV[2] .. '_s_' .. gid, ARGV[5])
    else
      found[#found + 1] = {gid, type(trans) == 'table' and trans.err or tostring(trans)}
    end
    redis.call('ZADD', KEYS[1], lease_end(now, tonumber(ARGV[3])), gid)
  end
end
return found
)lua";

// KEYS: u. ARGV: node, prefix, lease in s, TTL in s, gids. Returns the gids that are not ours.
inline constexpr std::string_view renew_text = R"lua(
local now = time()
local lost = {}
for k = 5, #ARGV do
  local gid = ARGV[k]
  local key = ARGV[2] .. '_g_' .. gid
  local guard = ARGV[2] .. '_s_' .. gid
  local g = record_of(redis.call('GET', key))
  if not g or is_final(redis.call('GET', guard) or g.status) or
     holder(g, score_of(KEYS[1], gid), ARGV[1]) ~= 'me' then
    lost[#lost + 1] = gid
  else
    redis.call('EXPIRE', key, ARGV[4])
    redis.call('EXPIRE', ARGV[2] .. '_b_' .. gid, ARGV[4])
    redis.call('EXPIRE', guard, ARGV[4])
    redis.call('ZADD', KEYS[1], lease_end(now, tonumber(ARGV[3])), gid)
  end
end
return lost
)lua";

// KEYS: g b u s. ARGV: node, gid, seconds until the wake time, the wake time in JSON, TTL in s.
inline constexpr std::string_view let_go_text = R"lua(
local raw = redis.call('GET', KEYS[1])
local g = raw and cjson.decode(raw)
if not g or is_final(redis.call('GET', KEYS[4]) or g.status) then return 'OK' end
if holder(g, score_of(KEYS[3], ARGV[2]), ARGV[1]) ~= 'me' then return 'OK' end
g.owner = 'cc-rest'
g.next_cron_time = cjson.decode(ARGV[4])[1]
redis.call('SET', KEYS[1], cjson.encode(g), 'EX', ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('ZADD', KEYS[3], wake_time(time(), tonumber(ARGV[3])), ARGV[2])
return 'OK'
)lua";

// KEYS: g u s. ARGV: node, gid. Returns {} if nobody has it; otherwise its holder, the stored owner
// and the seconds that are left.
inline constexpr std::string_view owner_text = R"lua(
local raw = redis.call('GET', KEYS[1])
local g = raw and cjson.decode(raw)
if not g or is_final(redis.call('GET', KEYS[3]) or g.status) then return {} end
local score = score_of(KEYS[2], ARGV[2])
local left = score - time()
local held = holder(g, score, ARGV[1])
if held == 'nobody' or left <= 0 then return {} end
local owner = type(g.owner) == 'string' and g.owner or ''
return {held, owner, string.format('%.3f', left)}
)lua";

// KEYS: u. ARGV: seconds, prefix, other seconds. How many leases end within the seconds that come,
// and how many of the transactions of the reference that are due next it has touched within the
// other seconds: their time is their interval after that.
inline constexpr std::string_view in_work_text = R"lua(
local now = time()
local count = 0
for second = math.floor(now), math.floor(now) + tonumber(ARGV[1]) do
  local ends = string.format('%.1f', second + 0.5)
  if second + 0.5 > now then count = count + redis.call('ZCOUNT', KEYS[1], ends, ends) end
end
local later = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.6f', now), '+inf',
                         'WITHSCORES', 'LIMIT', 0, 1000)
for k = 1, #later, 2 do
  local score = tonumber(later[k + 1])
  if score % 1 == 0 then
    local g = record_of(redis.call('GET', ARGV[2] .. '_g_' .. later[k]))
    local interval = g and tonumber(g.next_cron_interval)
    if interval and interval - (score - now) < tonumber(ARGV[3]) then count = count + 1 end
  end
end
return count
)lua";

// KEYS: u. ARGV: seconds, limit, most of P_u that is looked at. Leaves leases alone. Returns the
// count, and 1 if there are more.
inline constexpr std::string_view reset_due_text = R"lua(
local now = time()
local from = string.format('(%.6f', now + tonumber(ARGV[1]))
local limit = tonumber(ARGV[2])
local later = redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[3])
local count = 0
for k = 1, #later, 2 do
  local fraction = tonumber(later[k + 1]) % 1
  if fraction ~= 0.5 then
    if count == limit then return {count, 1} end
    local due = fraction == 0 and string.format('%.0f', math.floor(now))
                or string.format('%.2f', math.floor(now) - 0.75)
    redis.call('ZADD', KEYS[1], due, later[k])
    count = count + 1
  end
end
return {count, #later / 2 >= tonumber(ARGV[3]) and 1 or 0}
)lua";

// KEYS: u. Changes nothing: no gid is empty, and XX adds none. Yet Redis refuses it whenever it
// refuses changes.
inline constexpr std::string_view trial_text = R"lua(
redis.call('ZADD', KEYS[1], 'XX', 0, '')
return 'OK'
)lua";

// KEYS: kv. ARGV: record. Returns OK or EXISTS. The record has the number of the change.
inline constexpr std::string_view kv_create_text = R"lua(
local old = redis.call('GET', KEYS[1])
if old == ARGV[1] then return made_before_kv(KEYS[1], old) end
if old then return 'EXISTS' end
redis.call('SET', KEYS[1], ARGV[1])
return 'OK'
)lua";

// KEYS: kv. ARGV: node, change, expected version, value and update time in a JSON array. Returns OK
// or NONE.
inline constexpr std::string_view kv_update_text = R"lua(
local old = redis.call('GET', KEYS[1])
if not old then return 'NONE' end
local kv = cjson.decode(old)
local change = tonumber(ARGV[2])
if was_made(kv, ARGV[1], change) then return made_before_kv(KEYS[1], old) end
local version = tonumber(ARGV[3])
if kv.version ~= version then return 'NONE' end
local new = cjson.decode(ARGV[4])
kv.v = new[1]
kv.update_time = new[2]
kv.version = version + 1
kv.concerto = {node = ARGV[1], change = change}
redis.call('SET', KEYS[1], cjson.encode(kv))
return 'OK'
)lua";

// KEYS: all. ARGV: gids. Returns those that are not in the index.
inline constexpr std::string_view unindexed_text = R"lua(
local missing = {}
for _, gid in ipairs(ARGV) do
  if not redis.call('ZSCORE', KEYS[1], gid) then missing[#missing + 1] = gid end
end
return missing
)lua";

// KEYS: all open failed. ARGV: prefix, gid, time of creation in us. Puts a record that the
// reference has made into the index.
inline constexpr std::string_view index_text = R"lua(
local status = redis.call('GET', ARGV[1] .. '_s_' .. ARGV[2])
if status and not redis.call('ZSCORE', KEYS[1], ARGV[2]) then
  put_into_index(KEYS[1], KEYS[2], KEYS[3], ARGV[2], status, ARGV[3])
end
return 'OK'
)lua";

// KEYS: all open failed u. ARGV: prefix, gids. Takes gids without a record out of the index and out
// of the schedule, and what the reference has finished out of `open`.
inline constexpr std::string_view forget_text = R"lua(
for k = 2, #ARGV do
  local gid = ARGV[k]
  local status = redis.call('GET', ARGV[1] .. '_s_' .. gid)
  if not status and redis.call('EXISTS', ARGV[1] .. '_g_' .. gid) == 0 then
    for i = 1, 4 do redis.call('ZREM', KEYS[i], gid) end
  elseif status and is_final(status) and redis.call('ZREM', KEYS[2], gid) == 1 then
    local place = redis.call('ZSCORE', KEYS[1], gid)
    if status == 'failed' and place then redis.call('ZADD', KEYS[3], place, gid) end
  end
end
return 'OK'
)lua";

}  // namespace concerto::persist
