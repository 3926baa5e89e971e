#pragma once

#include <string_view>

/// The Lua text of the scripts that change one transaction.
namespace concerto::persist {

// Redis before 5 repeats whole scripts at its replicas, unless it is told not to.
inline constexpr std::string_view script_start = R"lua(
if redis.replicate_commands then redis.replicate_commands() end
)lua";

// What the scripts have in common.
//
// A score of P_u that Concerto has set is no whole number: one that ends in .5 is the end of a
// lease, one that ends in .25 the time until which a transaction waits. The reference sets whole
// numbers, so a whole number says that the reference has the transaction now (page 07 of the
// protocol). A record without the member `concerto` was written by the reference, which writes
// whole records.
inline constexpr std::string_view common = R"lua(
local function time()
  local t = redis.call('TIME')
  return tonumber(t[1]) + tonumber(t[2]) / 1000000
end
local function lease_end(now, seconds)
  return string.format('%.2f', math.floor(now) + seconds + 0.5)
end
local function wake_time(now, seconds)
  return string.format('%.2f', math.ceil(now + seconds - 0.25) + 0.25)
end
-- Nil if there is no record, or a damaged one.
local function record_of(raw)
  local readable, g = pcall(cjson.decode, raw)
  return readable and type(g) == 'table' and g or nil
end
local function holder(g, score, me)
  local owner = g.owner
  if g.concerto == nil or owner == nil or score == math.floor(score) then return 'reference' end
  if owner == 'cc-rest' then return 'nobody' end
  if owner == me then return 'me' end
  return 'other'
end
local function score_of(u, gid)
  return tonumber(redis.call('ZSCORE', u, gid) or '0')
end
-- The reference stores any status that an application sends; such a transaction is left alone.
local function is_final(status)
  return status ~= 'prepared' and status ~= 'submitted' and status ~= 'aborting'
end
local function merge(into, patch)
  for name, value in pairs(patch) do
    if value == cjson.null then into[name] = nil else into[name] = value end
  end
end
-- Gives each branch the index of its payload, as trans_of does, and returns the number of payloads.
-- What the reference has written has no index. `changed` gets the branches that have a new one.
local function index_payloads(g, list, changed)
  local known = g.concerto and g.concerto.payloads
  local count = known or 0
  local id, data
  for i, b in ipairs(list) do
    if not (known and b.concerto_payload) then
      if b.branch_id ~= id or b.bin_data ~= data then count = count + 1 end
      id = b.branch_id
      data = b.bin_data
      b.concerto_payload = count - 1
      changed[i - 1] = b
    end
  end
  return count
end
local function was_made(g, me, change)
  local c = g.concerto
  return type(c) == 'table' and c.node == me and type(c.change) == 'number' and c.change >= change
end
-- WAIT waits for the last write of its connection, so there must be one.
local function made_before(key, ttl)
  redis.call('EXPIRE', key, ttl)
  return 'OK'
end
local function made_before_kv(key, record)
  redis.call('SET', key, record)
  return 'OK'
end
local function put_into_index(all, open, failed, gid, status, score)
  redis.call('ZADD', all, score, gid)
  if not is_final(status) then
    redis.call('ZADD', open, score, gid)
  elseif status == 'failed' then
    redis.call('ZADD', failed, score, gid)
  end
end
)lua";

// What the scripts of changes do first of all is the work of a healthy transaction, on text. Redis
// has one thread for all scripts; each redis.call takes about a microsecond of it, decoding a
// record several, and even the functions of `common` are made anew in each run, so they come later.
//
// Concerto writes the members that most changes set at the end of a text, and before them a blank
// that no encoder of JSON writes:
//   a record:  .."concerto":{"payloads":2, "node":"cc-..","change":7},"update_time":"..",
//              "status":"submitted","owner":"cc-.."}
//   a branch:  .., "update_time":null,"status":"prepared"}
// Such an end can be replaced without a look at the rest. Any other text, such as the reference's,
// is decoded and merged; what was changed has such an end afterwards.

// KEYS: g b u s all open failed.
// ARGV: node, change, gid, status, TTL in s, `lease`, `wait` or `final`, seconds of the lease or
// until the wake time, record, branches.
// Returns OK, EXISTS, or DAMAGED: followed by a reason. A status without a record is what is left
// of a transaction that may have called its branches.
inline constexpr std::string_view create_first = R"lua(
local call = redis.call
if call('SET', KEYS[1], ARGV[8], 'EX', ARGV[5], 'NX') then
  if not call('SET', KEYS[4], ARGV[4], 'EX', ARGV[5], 'NX') then
    call('DEL', KEYS[1])
    return 'DAMAGED:' .. KEYS[1] .. ' is missing, and ' .. KEYS[4] .. ' exists'
  end
  local t = call('TIME')
  local score
  if ARGV[6] == 'lease' then
    score = string.format('%.1f', t[1] + ARGV[7] + 0.5)
  elseif ARGV[6] == 'wait' then
    score = string.format('%.2f', math.ceil(t[1] + t[2] / 1000000 + ARGV[7] - 0.25) + 0.25)
  end
  local added = score and redis.pcall('ZADD', KEYS[3], score, ARGV[3])
  if type(added) == 'table' then
    call('DEL', KEYS[1], KEYS[4])
    local is_other = string.find(added.err, 'WRONGTYPE', 1, true)
    return is_other and 'DAMAGED:' .. KEYS[3] .. ' is no zset' or added
  end
  call('DEL', KEYS[2])
  for k = 9, #ARGV, 1000 do
    call('RPUSH', KEYS[2], unpack(ARGV, k, math.min(k + 999, #ARGV)))
  end
  call('EXPIRE', KEYS[2], ARGV[5])
  local place = t[1] * 1000000 + t[2]
  local last = call('ZREVRANGE', KEYS[5], 0, 0, 'WITHSCORES')[2]
  if last and tonumber(last) >= place then place = last + 1 end
  place = string.format('%.0f', place)
  call('ZADD', KEYS[5], place, ARGV[3])
  if ARGV[6] ~= 'final' then call('ZADD', KEYS[6], place, ARGV[3]) end
  if ARGV[4] == 'failed' then call('ZADD', KEYS[7], place, ARGV[3]) end
  return 'OK'
end
)lua";
inline constexpr std::string_view create_text = R"lua(
local old = record_of(text_at(KEYS[1]))
if not old then return 'DAMAGED:' .. KEYS[1] .. ' is no record' end
if was_made(old, ARGV[1], tonumber(ARGV[2])) then return made_before(KEYS[4], ARGV[5]) end
return 'EXISTS'
)lua";

// KEYS: g b u s all open failed.
// ARGV: node, change, gid, expected status, TTL in s afterwards, `lease`, `wait` or `final`,
// seconds, whether the change is only a new schedule (1 or 0), and then one of two:
// - a JSON object: `g` and `c` are merged into the record and its member `concerto`; `status`;
//   `retry_count` and whether the options change (`options`); `b` are changes of branches ({i:
//   index, p: what is merged}), `n` are new branches ({j: the branch, p: its payload}), `e` are
//   branches with another URL or payload ({i: index, m: what is merged, p: its payload}). Then the
//   new payloads.
// - the new end of the record, from its blank on, and the new members of the schedule (empty: it
//   stays), if the change sets nothing else. Then the indexes of branches, each with the branch's
//   new end. With a schedule the transaction waits.
// Returns OK, NONE, LEASE, EXISTS: followed by the branch and the op, RANGE, STATUS: followed by
// the stored status, or DAMAGED: followed by a reason.
//
// The first part replaces ends if everything is as it is in a healthy transaction, and does nothing
// otherwise. A lease that would end at the same time as before stays, and so do the lives of the
// keys, because whatever sets the end of a lease sees to the lives of all three, which are equal.
inline constexpr std::string_view update_first = R"lua(
-- Where the members of the schedule begin, and the text from there to `at`, where the end begins,
-- with others, as that of a transaction that waits. Nil if they are not where Concerto writes them.
local function with_schedule(raw, at, members)
  local from = string.find(raw, '"next_cron_interval":', 1, true)
  local to = from and string.match(raw, '^%d+,"next_cron_time":"[^"]*"()', from + 21)
  local own = to and string.find(raw, '"concerto":{', to, true)
  if not own or own > at then return nil end
  local waits = string.find(raw, '"waits":true', own, true)
  local text = members .. string.sub(raw, to, at - 1)
  return from, waits and waits < at and text or text .. '"waits":true,'
end
local function replace_ends(tail)
  local call, try = redis.call, redis.pcall
  local raw = try('GET', KEYS[1])
  local at = type(raw) == 'string' and string.find(raw, ' "node":"', -400, true)
  if not at then return false end
  local node, change, status, owner = string.match(raw, '^ "node":"([^"]*)","change":(%d+)},'
    .. '"update_time":"[^"]*","status":"(%a+)","owner":"([^"]*)"} *$', at)
  if owner ~= ARGV[1] or status ~= ARGV[4] or try('GET', KEYS[4]) ~= status then return false end
  if node == owner and tonumber(change) >= tonumber(ARGV[2]) then return false end
  local score = tonumber(try('ZSCORE', KEYS[3], ARGV[3]) or 0) or 0
  if score == math.floor(score) then return false end
  if ARGV[10] ~= '' then
    local from, text = with_schedule(raw, at, ARGV[10])
    if not from then return false end
    at, tail = from, text .. tail
  end
  local branches = {}
  for k = 11, #ARGV, 2 do
    local b = try('LINDEX', KEYS[2], ARGV[k])
    local from = type(b) == 'string' and string.find(b, ' "update_time":', -90, true)
    if not from or not string.find(b, '^ "update_time":[^,]*,"status":"prepared"}$', from) then
      return false
    end
    branches[k] = string.sub(b, 1, from - 1) .. ARGV[k + 1]
  end
  -- First the command that a user of Redis may lack the right to: then nothing was changed.
  local finished = ARGV[6] == 'final'
  local waits = ARGV[6] == 'wait'
  -- What rests keeps the lives of its keys if they last for 99 % of the time meant after it is due.
  local lasts = waits and call('PTTL', KEYS[1]) >= ARGV[5] * 990 + math.max(ARGV[7], 0) * 10
  if finished or waits and not lasts then
    call('SET', KEYS[1], string.sub(raw, 1, at - 1) .. tail, 'EX', ARGV[5])
  else
    -- Keeps the life. A shorter end leaves blanks behind it.
    local left = #raw - at + 1 - #tail
    call('SETRANGE', KEYS[1], at - 1, left > 0 and tail .. string.rep(' ', left) or tail)
  end
  for k, b in pairs(branches) do call('LSET', KEYS[2], ARGV[k], b) end
  if finished then
    call('SET', KEYS[4], 'succeed', 'EX', ARGV[5])
    call('EXPIRE', KEYS[2], ARGV[5])
    call('ZREM', KEYS[3], ARGV[3])
    call('ZREM', KEYS[6], ARGV[3])
    return true
  end
  if waits then
    local t = call('TIME')
    if not lasts then
      call('EXPIRE', KEYS[2], ARGV[5])
      call('EXPIRE', KEYS[4], ARGV[5])
    end
    call('ZADD', KEYS[3], string.format('%.2f',
         math.ceil(t[1] + t[2] / 1000000 + ARGV[7] - 0.25) + 0.25), ARGV[3])
    return true
  end
  local lease = call('TIME')[1] + ARGV[7] + 0.5
  if lease ~= score then
    call('EXPIRE', KEYS[1], ARGV[5])
    call('EXPIRE', KEYS[2], ARGV[5])
    call('EXPIRE', KEYS[4], ARGV[5])
    call('ZADD', KEYS[3], string.format('%.1f', lease), ARGV[3])
  end
  return true
end
local is_delta = string.byte(ARGV[9]) == 123  -- {
if not is_delta and replace_ends(ARGV[9]) then return 'OK' end
)lua";
inline constexpr std::string_view update_text = R"lua(
local function delta_of_ends()
  local g = cjson.decode('{"concerto":{' .. ARGV[9])
  local b = {}
  for k = 11, #ARGV, 2 do
    b[#b + 1] = {i = tonumber(ARGV[k]), p = cjson.decode('{' .. ARGV[k + 1])}
  end
  local set = cjson.decode('{' .. ARGV[10] .. '}')
  set.update_time, set.finish_time = g.update_time, g.finish_time
  return {g = set, status = g.status, c = ARGV[10] ~= '' and {waits = true} or nil, b = b}
end
-- The text of an object with a given end.
local function with_end(object, tail)
  local text = cjson.encode(object)
  return (text == '{}' and '{' or string.sub(text, 1, -2) .. ',') .. tail
end
local function text_of_branch(b)
  if b.status ~= 'prepared' or b.finish_time then return cjson.encode(b) end
  local at = b.update_time
  b.update_time, b.status = nil, nil
  return with_end(b, ' "update_time":' .. cjson.encode(at) .. ',"status":"prepared"}')
end
local function text_of_record(g, me, change)
  local c, at, owner, status = g.concerto or {}, g.update_time, g.owner, g.status
  local interval, time, schedule = g.next_cron_interval, g.next_cron_time, ''
  c.node, c.change = nil, nil
  g.concerto, g.update_time, g.owner, g.status = nil, nil, nil, nil
  if type(interval) == 'number' and type(time) == 'string' then
    g.next_cron_interval, g.next_cron_time = nil, nil
    schedule = '"next_cron_interval":' .. cjson.encode(interval) .. ',"next_cron_time":'
      .. cjson.encode(time) .. ','
  end
  return with_end(g, schedule .. '"concerto":' .. with_end(c,
    ' "node":"' .. me .. '","change":' .. change .. '},"update_time":' .. cjson.encode(at)
    .. ',"status":' .. cjson.encode(status) .. (owner and ',"owner":"' .. owner .. '"}' or '}')))
end
local g, why, texts = sound(KEYS[1], KEYS[2], KEYS[4])
if not g then return why and 'DAMAGED:' .. why or 'NONE' end
local change = tonumber(ARGV[2])
if was_made(g, ARGV[1], change) then return made_before(KEYS[4], ARGV[5]) end
local score, no_set = ask('zset', 'ZSCORE', KEYS[3], ARGV[3])
if no_set then return 'DAMAGED:' .. no_set end
local status = g.status
local was_final = is_final(status)
if status ~= ARGV[4] or (was_final and ARGV[8] ~= '1') then return 'STATUS:' .. status end
if not was_final then
  if holder(g, tonumber(score or '0'), ARGV[1]) ~= 'me' then return 'LEASE' end
end
local d = is_delta and cjson.decode(ARGV[9]) or delta_of_ends()
local added = {}
local changed = {}
local count = #texts
local payloads
if d.n or d.e then
  local list = {}
  local known = {}
  for i, text in ipairs(texts) do
    list[i] = cjson.decode(text)
    known[list[i].branch_id .. '\n' .. list[i].op] = true
  end
  local old = index_payloads(g, list, changed)
  payloads = old + #ARGV - 9
  local function set_payload(b, p)
    local data
    if p >= old then
      data = ARGV[10 + p - old]
    else
      for _, other in ipairs(list) do
        if other.concerto_payload == p then data = other.bin_data end
      end
    end
    b.bin_data = data ~= '' and data or nil
    b.concerto_payload = p
  end
  for i, new in ipairs(d.n or {}) do
    local b = new.j
    local id = b.branch_id .. '\n' .. b.op
    if known[id] then return 'EXISTS:' .. b.branch_id .. ':' .. b.op end
    known[id] = true
    if new.p >= payloads then return 'RANGE' end
    set_payload(b, new.p)
    added[i] = b
  end
  for _, e in ipairs(d.e or {}) do
    local b = list[e.i + 1] or added[e.i - count + 1]
    if not b or (e.p or 0) >= payloads then return 'RANGE' end
    merge(b, e.m)
    if e.p then set_payload(b, e.p) end
    if e.i < count then changed[e.i] = b end
  end
end
for i, c in ipairs(d.b or {}) do
  if c.i >= count + #added then return 'RANGE' end
  if c.i >= count then
    merge(added[c.i - count + 1], c.p)
  else
    local b = changed[c.i] or cjson.decode(texts[c.i + 1])
    merge(b, c.p)
    changed[c.i] = b
  end
end
merge(g, d.g)
g.status = d.status or g.status or status
if d.options or d.retry_count then
  if d.retry_count then g.retry_count = d.retry_count end
  if g.retry_count == 0 then g.retry_count = nil end
  local o = cjson.decode(d.options or g.options or '{"concurrent":false}')
  o.retry_count = g.retry_count
  g.options = cjson.encode(o)
end
local c = g.concerto or {}
if d.c then merge(c, d.c) end
if payloads then c.payloads = payloads end
g.concerto = c
local now_final = is_final(g.status)
if now_final then
  g.owner = nil
else
  g.owner = ARGV[6] == 'wait' and 'cc-rest' or ARGV[1]
end
local ttl = ARGV[5]
local left = was_final and redis.call('PTTL', KEYS[1]) or -1  -- Negative: the key has no end.
if left >= 0 then ttl = math.max(1, math.ceil(left / 1000)) end
status = g.status
redis.call('SET', KEYS[1], text_of_record(g, ARGV[1], ARGV[2]), 'EX', ttl)
redis.call('SET', KEYS[4], status, 'EX', ttl)
for i, b in pairs(changed) do redis.call('LSET', KEYS[2], i, text_of_branch(b)) end
for _, b in ipairs(added) do redis.call('RPUSH', KEYS[2], text_of_branch(b)) end
redis.call('EXPIRE', KEYS[2], ttl)
if was_final then return 'OK' end
if now_final then
  redis.call('ZREM', KEYS[3], ARGV[3])
  redis.call('ZREM', KEYS[6], ARGV[3])
  if status == 'failed' then
    local place = redis.call('ZSCORE', KEYS[5], ARGV[3])
    if place then redis.call('ZADD', KEYS[7], place, ARGV[3]) end
  end
elseif ARGV[6] == 'wait' then
  redis.call('ZADD', KEYS[3], wake_time(time(), tonumber(ARGV[7])), ARGV[3])
else
  redis.call('ZADD', KEYS[3], lease_end(time(), tonumber(ARGV[7])), ARGV[3])
end
return 'OK'
)lua";

}  // namespace concerto::persist
