#pragma once

#include <string_view>

/// The Lua text of the scripts for claims, key-value records and the index.
namespace concerto::persist {

// Where the owner of a record begins, if it rests or is the owner's and ends as a healthy one does;
// its end with this owner, as long as the end before at least; and who had it. Nil for any other.
// Whoever reads the answer checks what is before its end.
inline constexpr std::string_view rest_text = R"lua(
local function owned(raw, status, score, owner)
  local at = type(raw) == 'string' and string.find(raw, ' "node":"', -400, true)
  local known, last, had = string.match(at and raw or '', '^ "node":"[^"]*","change":%d+},'
    .. '"update_time":"[^"]*","status":"(%a+)",()"owner":"([^"]*)"} *$', at or 1)
  if not known or known ~= status or score == math.floor(score) then return nil end
  if status ~= 'submitted' and status ~= 'aborting' and status ~= 'prepared' then return nil end
  if had ~= 'cc-rest' and had ~= owner then return nil end
  local text = '"owner":"' .. owner .. '"}'
  local left = #raw - last + 1 - #text
  if left > 0 then text = text .. string.rep(' ', left) end
  return last, text, had == owner and 'me' or 'nobody'
end
)lua";

// KEYS: g b u s. ARGV: node, gid, lease in s, 1 to take it from another node too, TTL in s.
// Returns {}, {1 if it is ours, what is shown}, or {why it is damaged}.
inline constexpr std::string_view claim_first = R"lua(
local function claim_rest()
  local call, try = redis.call, redis.pcall
  local raw, stored = try('GET', KEYS[1]), try('ZSCORE', KEYS[3], ARGV[2])
  local score = tonumber(type(stored) == 'string' and stored or 0)
  local at, text, held = owned(raw, try('GET', KEYS[4]), score, ARGV[1])
  local list = at and try('LRANGE', KEYS[2], 0, -1)
  if not list or not list[1] then return nil end
  -- The lives of the keys stay if they last for 99 % of the time that a new one would.
  local lasts = call('PTTL', KEYS[1]) >= ARGV[5] * 990
  call('SETRANGE', KEYS[1], at - 1, text)
  if not lasts then
    call('EXPIRE', KEYS[1], ARGV[5])
    call('EXPIRE', KEYS[2], ARGV[5])
    call('EXPIRE', KEYS[4], ARGV[5])
  end
  local t = call('TIME')
  call('ZADD', KEYS[3], string.format('%.1f', t[1] + ARGV[3] + 0.5), ARGV[2])
  return {1, {raw, tostring(score), string.format('%d.%06d', t[1], t[2]), held, list, ARGV[2]}}
end
local taken = claim_rest()
if taken then return taken end
)lua";
inline constexpr std::string_view claim_text = R"lua(
local g, raw, list = sound(KEYS[1], KEYS[2], KEYS[4])
if not g then return {raw} end
local now = time()
local stored, no_set = ask('zset', 'ZSCORE', KEYS[3], ARGV[2])
if no_set then return {no_set} end
local score = tonumber(stored or '0')
local shown = show(raw, g, score, now, list, ARGV[1], ARGV[2])
local held = shown[4]
if is_final(g.status) then return {0, shown} end
local free = held == 'me' or held == 'nobody' or score <= now
if not free and ARGV[4] ~= '1' then return {0, shown} end
local record, why = with_owner(g, ARGV[1])
if not record then return {KEYS[1] .. why} end
redis.call('SET', KEYS[1], record, 'EX', ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[5])
redis.call('EXPIRE', KEYS[4], ARGV[5])
redis.call('ZADD', KEYS[3], lease_end(now, tonumber(ARGV[3])), ARGV[2])
return {1, shown}
)lua";

// KEYS: u. ARGV: node, prefix, lease in s, limit, TTL in s, rest in s of a damaged one. Returns
// what is shown of each; {gid, why} of a damaged one, which stays as it is and rests; {gid} of one
// without a record, which leaves the schedule; {'', why} if the schedule itself is damaged.
inline constexpr std::string_view claim_due_text = R"lua(
local now = time()
local due, no_set = ask('zset', 'ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%.6f', now),
                        'WITHSCORES', 'LIMIT', 0, ARGV[4])
if no_set then return {{'', no_set}} end
local found = {}
for k = 1, #due, 2 do
  local gid = due[k]
  local key, list_key, guard = ARGV[2] .. '_g_' .. gid, ARGV[2] .. '_b_' .. gid,
                               ARGV[2] .. '_s_' .. gid
  local g, raw, list = sound(key, list_key, guard)
  local shown, record, why
  if g and not is_final(g.status) then
    shown = show(raw, g, tonumber(due[k + 1]), now, list, ARGV[1], gid)
    record, why = with_owner(g, ARGV[1])
    why = why and key .. why
  elseif not g then
    why = raw
  end
  if record then
    found[#found + 1] = shown
    redis.call('SET', key, record, 'EX', ARGV[5])
    redis.call('EXPIRE', list_key, ARGV[5])
    redis.call('EXPIRE', guard, ARGV[5])
    redis.call('ZADD', KEYS[1], lease_end(now, tonumber(ARGV[3])), gid)
  elseif why then
    found[#found + 1] = {gid, why}
    redis.call('ZADD', KEYS[1], wake_time(now, tonumber(ARGV[6])), gid)
  else
    if not g then found[#found + 1] = {gid} end
    redis.call('ZREM', KEYS[1], gid)
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
  local g = record_of(text_at(key))
  if not g or is_final(text_at(guard)) or
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
local g = sound(KEYS[1], KEYS[2], KEYS[4])
if not g or is_final(g.status) then return 'OK' end
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
local g = record_of(text_at(KEYS[1]))
if not g or is_final(text_at(KEYS[3])) then return {} end
local score = score_of(KEYS[2], ARGV[2])
local left = score - time()
local held = holder(g, score, ARGV[1])
if held == 'nobody' or left <= 0 then return {} end
local owner = type(g.owner) == 'string' and g.owner or ''
return {held, owner, string.format('%.3f', left)}
)lua";

// KEYS: u. ARGV: seconds, prefix, other seconds. How many leases end within the seconds that come,
// together with how many of the transactions of the reference that are due next it has touched
// within the other seconds: their time is their interval after that. Then in how many milliseconds
// the last of them is free.
inline constexpr std::string_view in_work_text = R"lua(
local now = time()
local count, last = 0, now
for second = math.floor(now), math.floor(now) + tonumber(ARGV[1]) do
  local ends = string.format('%.1f', second + 0.5)
  local leases = second + 0.5 > now and redis.call('ZCOUNT', KEYS[1], ends, ends) or 0
  if leases > 0 then count, last = count + leases, second + 0.5 end
end
local later = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.6f', now), '+inf',
                         'WITHSCORES', 'LIMIT', 0, 1000)
for k = 1, #later, 2 do
  local score = tonumber(later[k + 1])
  if score % 1 == 0 then
    local g = record_of(text_at(ARGV[2] .. '_g_' .. later[k]))
    local interval = g and tonumber(g.next_cron_interval)
    local free = interval and math.min(score, score - interval + ARGV[3])
    if free and free > now then count, last = count + 1, math.max(last, free) end
  end
end
return {count, math.floor((last - now) * 1000)}
)lua";

// KEYS: u. ARGV: seconds, prefix, the time farthest away or '+inf', how many of P_u to leave out
// and how many to look at. Leaves leases out. Returns how many were looked at, the last one's time,
// how many of them have that time; then of each transaction its gid and when it was last changed.
inline constexpr std::string_view resting_text = R"lua(
local t = redis.call('TIME')
local from = string.format('(%.6f', t[1] + t[2] / 1000000 + ARGV[1])
local later = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[3], from, 'WITHSCORES',
                         'LIMIT', ARGV[4], ARGV[5])
local last, same = later[#later] or '', 0
local found = {#later / 2, last, 0}
for k = 1, #later, 2 do
  if later[k + 1] == last then same = same + 1 end
  if tonumber(later[k + 1]) % 1 ~= 0.5 then
    local raw = redis.call('GET', ARGV[2] .. '_g_' .. later[k])
    if raw then
      found[#found + 1] = later[k]
      found[#found + 1] = string.match(raw, '"update_time":"([^"]*)"') or ''
    end
  end
end
found[3] = same
return found
)lua";

// KEYS: u. Changes nothing: no gid is empty, and XX adds none. Yet Redis refuses it whenever it
// refuses changes.
inline constexpr std::string_view trial_text = R"lua(
redis.call('ZADD', KEYS[1], 'XX', 0, '')
return 'OK'
)lua";

// KEYS: kv. ARGV: record. Returns OK, EXISTS, or DAMAGED: followed by a reason. The record has the
// number of the change.
inline constexpr std::string_view kv_create_text = R"lua(
local old, no_text = ask('string', 'GET', KEYS[1])
if no_text then return 'DAMAGED:' .. no_text end
if old == ARGV[1] then return made_before_kv(KEYS[1], old) end
if old then return 'EXISTS' end
redis.call('SET', KEYS[1], ARGV[1])
return 'OK'
)lua";

// KEYS: kv. ARGV: node, change, expected version, value and update time in a JSON array. Returns
// OK, NONE, or DAMAGED: followed by a reason.
inline constexpr std::string_view kv_update_text = R"lua(
local old, no_text = ask('string', 'GET', KEYS[1])
if no_text then return 'DAMAGED:' .. no_text end
if not old then return 'NONE' end
local kv = record_of(old)
if not kv then return 'DAMAGED:' .. KEYS[1] .. ' is no record' end
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
local status = text_at(ARGV[1] .. '_s_' .. ARGV[2])
if status and not redis.call('ZSCORE', KEYS[1], ARGV[2]) then
  put_into_index(KEYS[1], KEYS[2], KEYS[3], ARGV[2], status, ARGV[3])
end
return 'OK'
)lua";

// KEYS: all open failed u. ARGV: prefix, gids. Takes gids without a record out of the index and out
// of the schedule, and what the reference has finished out of `open`. Returns the unfinished ones
// that were not in the schedule, where they are due now.
inline constexpr std::string_view forget_text = R"lua(
local returned = {}
for k = 2, #ARGV do
  local gid = ARGV[k]
  local guard = ARGV[1] .. '_s_' .. gid
  local status = text_at(guard)
  if redis.call('EXISTS', guard, ARGV[1] .. '_g_' .. gid) == 0 then
    for i = 1, 4 do redis.call('ZREM', KEYS[i], gid) end
  elseif status == 'succeed' or status == 'failed' then
    if redis.call('ZREM', KEYS[2], gid) == 1 then
      local place = redis.call('ZSCORE', KEYS[1], gid)
      if status == 'failed' and place then redis.call('ZADD', KEYS[3], place, gid) end
    end
  elseif not redis.call('ZSCORE', KEYS[4], gid) then
    redis.call('ZADD', KEYS[4], wake_time(time(), 0), gid)
    returned[#returned + 1] = gid
  end
end
return returned
)lua";

}  // namespace concerto::persist
