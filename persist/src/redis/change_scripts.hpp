#pragma once

#include <string_view>

/// The Lua text of the scripts that change and read one transaction.
namespace concerto::persist {

// What the scripts have in common.
//
// A score of P_u that Concerto has set is no whole number: one that ends in .5 is the end of a
// lease, one that ends in .25 the time until which a transaction waits. The reference sets whole
// numbers, so a whole number says that the reference has the transaction now (page 07 of the
// protocol). A record without the member `concerto` was written by the reference, which writes
// whole records.
inline constexpr std::string_view common = R"lua(
if redis.replicate_commands then redis.replicate_commands() end
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
  return c ~= nil and c.node == me and c.change ~= nil and c.change >= change
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

// KEYS: g b u s all open failed.
// ARGV: node, change, gid, status, TTL in s, `lease`, `wait` or `final`, seconds of the lease or
// until the wake time, record, branches.
// Returns OK or EXISTS.
inline constexpr std::string_view create_text = R"lua(
local old = redis.call('GET', KEYS[1])
if old then
  if was_made(cjson.decode(old), ARGV[1], tonumber(ARGV[2])) then
    return made_before(KEYS[4], ARGV[5])
  end
  return 'EXISTS'
end
local now = time()
redis.call('SET', KEYS[1], ARGV[8], 'EX', ARGV[5])
redis.call('SET', KEYS[4], ARGV[4], 'EX', ARGV[5])
redis.call('DEL', KEYS[2])
for k = 9, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[k]) end
redis.call('EXPIRE', KEYS[2], ARGV[5])
if ARGV[6] == 'lease' then
  redis.call('ZADD', KEYS[3], lease_end(now, tonumber(ARGV[7])), ARGV[3])
elseif ARGV[6] == 'wait' then
  redis.call('ZADD', KEYS[3], wake_time(now, tonumber(ARGV[7])), ARGV[3])
end
local place = math.floor(now * 1000000)
local last = redis.call('ZREVRANGE', KEYS[5], 0, 0, 'WITHSCORES')
if last[2] and tonumber(last[2]) >= place then place = tonumber(last[2]) + 1 end
put_into_index(KEYS[5], KEYS[6], KEYS[7], ARGV[3], ARGV[4], string.format('%.0f', place))
return 'OK'
)lua";

// KEYS: g b u s all open failed.
// ARGV: node, change, gid, expected status, TTL in s afterwards, `lease` or `wait`, seconds,
// whether the change is only a new schedule (1 or 0), a JSON object: `g` and `c` are merged into
// the record and its member `concerto`; `status`; `retry_count` and whether the options change
// (`options`); `b` are changes of branches ({i: index, p: what is merged}), `n` are new branches
// ({j: the branch, p: its payload}). Then the new payloads. Returns OK, NONE, LEASE, EXISTS:
// followed by the branch and the op, RANGE, or STATUS: followed by the stored status.
inline constexpr std::string_view update_text = R"lua(
local raw = redis.call('GET', KEYS[1])
if not raw then return 'NONE' end
local g = cjson.decode(raw)
local change = tonumber(ARGV[2])
if was_made(g, ARGV[1], change) then return made_before(KEYS[4], ARGV[5]) end
local status = redis.call('GET', KEYS[4]) or g.status
local was_final = is_final(status)
if status ~= ARGV[4] or (was_final and ARGV[8] ~= '1') then return 'STATUS:' .. status end
if not was_final then
  if holder(g, score_of(KEYS[3], ARGV[3]), ARGV[1]) ~= 'me' then return 'LEASE' end
end
local d = cjson.decode(ARGV[9])
local added = {}
local changed = {}
local count = redis.call('LLEN', KEYS[2])
local payloads
if d.n then
  local list = redis.call('LRANGE', KEYS[2], 0, -1)
  local known = {}
  for i, text in ipairs(list) do
    list[i] = cjson.decode(text)
    known[list[i].branch_id .. '\n' .. list[i].op] = true
  end
  local old = index_payloads(g, list, changed)
  payloads = old + #ARGV - 9
  for i, new in ipairs(d.n) do
    local b = new.j
    local id = b.branch_id .. '\n' .. b.op
    if known[id] then return 'EXISTS:' .. b.branch_id .. ':' .. b.op end
    known[id] = true
    if new.p >= payloads then return 'RANGE' end
    local data
    if new.p >= old then
      data = ARGV[10 + new.p - old]
    else
      for _, other in ipairs(list) do
        if other.concerto_payload == new.p then data = other.bin_data end
      end
    end
    if data and data ~= '' then b.bin_data = data end
    b.concerto_payload = new.p
    added[i] = b
  end
end
for i, c in ipairs(d.b or {}) do
  if c.i >= count + #added then return 'RANGE' end
  if c.i >= count then
    merge(added[c.i - count + 1], c.p)
  else
    local b = changed[c.i] or cjson.decode(redis.call('LINDEX', KEYS[2], c.i))
    merge(b, c.p)
    changed[c.i] = b
  end
end
merge(g, d.g)
if d.status then g.status = d.status end
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
c.node = ARGV[1]
c.change = change
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
redis.call('SET', KEYS[1], cjson.encode(g), 'EX', ttl)
redis.call('SET', KEYS[4], g.status, 'EX', ttl)
for i, b in pairs(changed) do redis.call('LSET', KEYS[2], i, cjson.encode(b)) end
for _, b in ipairs(added) do redis.call('RPUSH', KEYS[2], cjson.encode(b)) end
redis.call('EXPIRE', KEYS[2], ttl)
if was_final then return 'OK' end
if now_final then
  redis.call('ZREM', KEYS[3], ARGV[3])
  redis.call('ZREM', KEYS[6], ARGV[3])
  if g.status == 'failed' then
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

// What a read of one transaction returns: {record, score, time, owner, branches, gid}. `owner`
// is what `holder` says.
inline constexpr std::string_view show_text = R"lua(
local function show(raw, g, score, now, b, me, gid)
  return {raw, tostring(score), string.format('%.6f', now), holder(g, score, me),
          redis.call('LRANGE', b, 0, -1), gid}
end
)lua";

// KEYS: g b. Returns {} or {record, branches}.
inline constexpr std::string_view load_text = R"lua(
local raw = redis.call('GET', KEYS[1])
if not raw then return {} end
return {raw, redis.call('LRANGE', KEYS[2], 0, -1)}
)lua";

}  // namespace concerto::persist
