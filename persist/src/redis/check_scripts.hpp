#pragma once

#include <string_view>

/// The Lua text that finds damaged records.
namespace concerto::persist {

// What is damaged is found before anything is written, and then nothing is. `what` is the kind of
// value that a key must have. A wrong one is an error of the first command on the key; any other
// error is raised.
inline constexpr std::string_view reads_text = R"lua(
-- Returns what the command does; or nil and what is wrong with the key.
local function ask(what, command, key, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  local kind = redis.call('TYPE', key).ok
  if kind == what or kind == 'none' then return redis.call(command, key, ...) end
  return nil, key .. ' is a ' .. kind .. ' and no ' .. what
end
-- The text at a key, nil if there is none or if it is no text.
local function text_at(key)
  local answer = redis.pcall('GET', key)
  return type(answer) == 'string' and answer or nil
end
)lua";

// Follows `common` and `reads_text`. C++ reads a record with the same checks (trans_of), so that
// what passes here seldom fails there.
inline constexpr std::string_view check_text = R"lua(
local function is_word(value)
  return type(value) == 'string' and value ~= ''
end
local function object_of(text)
  local readable, object = pcall(cjson.decode, text)
  if not readable then return nil, 'is not JSON' end
  if type(object) ~= 'table' or not string.find(text, '^%s*{') then return nil, 'is no object' end
  return object
end
local function trouble_of_branch(text)
  local b, why = object_of(text)
  if not b then return why end
  if not is_word(b.branch_id) or not is_word(b.op) then return 'has no branch_id or no op' end
  local status = b.status
  if status ~= 'prepared' and status ~= 'succeed' and status ~= 'failed' then
    return 'has an unknown status'
  end
  local data = b.bin_data
  if data == nil or data == cjson.null then return nil end
  if type(data) ~= 'string' or #data % 4 ~= 0 or not string.find(data, '^[%w+/]*=?=?$') then
    return 'has bin_data that is not base64'
  end
end
local function trouble_of_record(g, status, g_key, s_key)
  if not is_word(g.trans_type) or not is_word(g.status) then
    return g_key .. ' has no trans_type or no status'
  end
  if g.status ~= status then
    return s_key .. " is '" .. status .. "', and the status in " .. g_key .. " is '" ..
      g.status .. "'"
  end
  if is_final(status) and status ~= 'succeed' and status ~= 'failed' then
    return g_key .. " has the status '" .. status .. "', which is not known"
  end
  for _, name in ipairs({'options', 'ext_data'}) do
    if is_word(g[name]) and not object_of(g[name]) then
      return g_key .. ' has a member ' .. name .. ' that is no JSON object'
    end
  end
  local c = g.concerto
  if c == nil then return nil end
  if type(c) ~= 'table' or (c.payloads and type(c.payloads) ~= 'number') or
     (c.change and type(c.change) ~= 'number') then
    return g_key .. ' has a damaged member concerto'
  end
end
-- Returns the record, its text and its branches; nil if there is none; nil and a reason if it is
-- damaged.
local function sound(g_key, b_key, s_key)
  local raw, no_text = ask('string', 'GET', g_key)
  if no_text then return nil, no_text end
  local status, no_status = ask('string', 'GET', s_key)
  if no_status then return nil, no_status end
  local list, no_list = ask('list', 'LRANGE', b_key, 0, -1)
  if not raw then
    if status or no_list then return nil, g_key .. ' is missing' end
    return nil
  end
  if no_list then return nil, no_list end
  if not status then return nil, s_key .. ' is missing' end
  local g, why = object_of(raw)
  if not g then return nil, g_key .. ' ' .. why end
  why = trouble_of_record(g, status, g_key, s_key)
  if why then return nil, why end
  for i, text in ipairs(list) do
    why = trouble_of_branch(text)
    if why then return nil, b_key .. ': the branch at index ' .. (i - 1) .. ' ' .. why end
  end
  if #list == 0 and g.concerto and (g.concerto.payloads or 0) > 0 then
    return nil, b_key .. ' is missing'
  end
  return g, raw, list
end
-- The text of the record with another owner; nil and a reason if it cannot be written.
local function with_owner(g, owner)
  g.concerto = g.concerto or {}
  g.owner = owner
  local writable, text = pcall(cjson.encode, g)
  if writable then return text end
  return nil, ' cannot be written: ' .. tostring(text)
end
)lua";

}  // namespace concerto::persist
