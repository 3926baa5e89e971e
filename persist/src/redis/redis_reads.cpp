#include <algorithm>
#include <memory>
#include <utility>

#include "../kv_table.hpp"
#include "../preconditions.hpp"
#include "record_json.hpp"
#include "redis_index.hpp"
#include "redis_store.hpp"

/// Scans, counts and key-value records of the RedisStore.
namespace concerto::persist {

/// The transactions without branches. A gid without a record, or with a damaged one, is left out.
/// What is damaged is found by a look at record and status; another read says what it is.
Async<std::vector<Transaction>> RedisStore::records(std::vector<std::string> gids) {
  std::vector<Transaction> found;
  if (gids.empty()) co_return found;
  CommandWriter command{1 + 2 * gids.size()};
  command.add("MGET");
  for (const std::string& gid : gids) command.add(commands_.keys().record(gid));
  for (const std::string& gid : gids) command.add(commands_.keys().status(gid));
  CONCERTO_CO_TRY(const ReplyPtr reply, co_await common_lane().ask(command.take(), Deed::reads));
  const Reply answer{reply.get()};
  for (std::size_t i = 0; i < gids.size(); ++i) {
    if (answer[i].is_nil() && answer[gids.size() + i].is_nil()) continue;  // It has expired.
    Gid gid{gids[i]};
    auto trans = trans_of(answer[i].text(), {});
    if (trans && to_string(trans->status) == answer[gids.size() + i].text()) {
      trans->gid = std::move(gid);
      found.push_back(std::move(*trans));
      continue;
    }
    Result<std::optional<Transaction>> whole = co_await load(std::move(gid));
    if (!whole && whole.error().code != EngineErrc::store_damaged) co_return whole.error();
    // It may have changed between the two reads.
    if (whole && *whole) found.push_back(without_branches(**whole));
  }
  co_return found;
}

Async<UnfinishedPage> RedisStore::scan_unfinished(std::uint64_t from, std::size_t limit) {
  const std::size_t most = std::max<std::size_t>(limit, 1);
  UnfinishedPage page;
  for (;;) {
    std::string command;
    append_command(command, {"ZRANGEBYSCORE", commands_.keys().open(), std::to_string(from), "+inf",
                             "WITHSCORES", "LIMIT", "0", std::to_string(records_at_once)});
    CONCERTO_CO_TRY(const ReplyPtr reply,
                    co_await common_lane().ask(std::move(command), Deed::reads));
    const std::vector<IndexEntry> entries = entries_of(Reply{reply.get()});
    if (entries.empty()) co_return page;
    std::vector<std::string> gids;
    for (const IndexEntry& entry : entries) gids.push_back(entry.gid);
    CONCERTO_CO_TRY(const auto found, co_await records(std::move(gids)));
    std::size_t next = 0;
    for (const IndexEntry& entry : entries) {
      from = entry.place + 1;
      if (next == found.size() || found[next].gid.str() != entry.gid) continue;
      const Transaction& trans = found[next++];
      if (is_final(trans.status)) continue;
      if (page.transactions.size() == most) {
        page.next = entry.place;
        co_return page;
      }
      page.transactions.push_back(unfinished_of(trans));
    }
  }
}

Async<Backlog> RedisStore::backlog() {
  constexpr std::size_t counted_max = 1'000;
  std::string command;
  append_command(command,
                 {"ZRANGE", commands_.keys().schedule(), "0", std::to_string(counted_max)});
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await common_lane().ask(std::move(command), Deed::reads));
  const Reply answer{reply.get()};
  Backlog backlog;
  backlog.is_complete = answer.size() <= counted_max;
  const std::size_t count = std::min(answer.size(), counted_max);
  for (std::size_t begin = 0; begin < count; begin += records_at_once) {
    std::vector<std::string> gids;
    for (std::size_t i = begin; i < std::min(count, begin + records_at_once); ++i) {
      gids.emplace_back(answer[i].text());
    }
    CONCERTO_CO_TRY(const auto found, co_await records(std::move(gids)));
    for (const Transaction& trans : found) {
      if (is_final(trans.status)) continue;
      ++backlog.by_type[static_cast<std::size_t>(trans.type)];
      backlog.oldest = std::min(backlog.oldest.value_or(trans.create_time), trans.create_time);
    }
  }
  if (backlog.is_complete) co_return backlog;
  // The schedule is in order of time, so the oldest ones may be those that wait for longest.
  CONCERTO_CO_TRY(const auto oldest, co_await oldest_open());
  for (const Transaction& trans : oldest) {
    if (is_final(trans.status)) continue;
    backlog.oldest = std::min(backlog.oldest.value_or(trans.create_time), trans.create_time);
  }
  co_return backlog;
}

/// The first transactions of the index of unfinished ones.
Async<std::vector<Transaction>> RedisStore::oldest_open() {
  std::string command;
  append_command(command,
                 {"ZRANGE", commands_.keys().open(), "0", std::to_string(records_at_once - 1)});
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await common_lane().ask(std::move(command), Deed::reads));
  const Reply answer{reply.get()};
  std::vector<std::string> gids;
  for (std::size_t i = 0; i < answer.size(); ++i) gids.emplace_back(answer[i].text());
  co_return co_await records(std::move(gids));
}

Result<Transaction> RedisStore::as_kept(const Transaction& trans) const {
  const std::string record = record_of(trans, {}, {}, 0);
  const std::vector<std::string> branches = branch_records_of(trans);
  CONCERTO_TRY(Transaction kept, trans_of(record, {branches.begin(), branches.end()}));
  kept.gid = trans.gid;  // the key has it, as it is
  return kept;
}

Async<WorkOfOthers> RedisStore::work_of_others() {
  std::string command = commands_.work_of_others();
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await common_lane().ask(std::move(command), Deed::reads));
  co_return RedisCommands::work_of_others_in(Reply{reply.get()});
}

Async<std::vector<std::string>> RedisStore::scan_keys(std::string pattern) {
  std::vector<std::string> keys;
  std::string cursor = "0";
  do {
    std::string command;
    append_command(command, {"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
    CONCERTO_CO_TRY(const ReplyPtr reply,
                    co_await common_lane().ask(std::move(command), Deed::reads));
    const Reply answer{reply.get()};
    cursor = answer[0].text();
    const Reply found = answer[1];
    for (std::size_t i = 0; i < found.size(); ++i) keys.emplace_back(found[i].text());
  } while (cursor != "0" && !cursor.empty());
  std::ranges::sort(keys);
  const auto same = std::ranges::unique(keys);
  keys.erase(same.begin(), same.end());
  co_return keys;
}

/// A damaged record is left out, unless it alone is asked for.
Async<std::vector<KvRecord>> RedisStore::kv_records(std::string cat, std::string key) {
  std::vector<std::string> keys;
  const bool is_one = !cat.empty() && !key.empty();
  if (is_one) {
    keys.push_back(commands_.keys().kv(cat, key));
  } else {
    CONCERTO_CO_TRY(keys, co_await scan_keys(commands_.keys().pattern("_kv_")));
  }
  std::vector<KvRecord> found;
  for (std::size_t begin = 0; begin < keys.size(); begin += records_at_once) {
    const std::size_t end = std::min(keys.size(), begin + records_at_once);
    CommandWriter command{1 + end - begin};
    command.add("MGET");
    for (std::size_t i = begin; i < end; ++i) command.add(keys[i]);
    CONCERTO_CO_TRY(const ReplyPtr reply, co_await common_lane().ask(command.take(), Deed::reads));
    const Reply answer{reply.get()};
    for (std::size_t i = 0; i < answer.size(); ++i) {
      if (answer[i].is_nil()) continue;
      Result<KvRecord> record = kv_of(answer[i].text());
      if (record) {
        found.push_back(std::move(*record));
        damaged_.is_sound(keys[begin + i]);
        continue;
      }
      Error error = damaged_.other(keys[begin + i], record.error().detail);
      if (is_one) co_return error;
    }
  }
  if (!is_one || !found.empty()) co_return found;
  // MGET does not tell a key of another type from one that does not exist.
  std::string command;
  append_command(command, {"TYPE", keys.front()});
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await common_lane().ask(std::move(command), Deed::reads));
  const std::string_view type = Reply{reply.get()}.text();
  if (type == "list" || type == "hash" || type == "set" || type == "zset" || type == "stream") {
    co_return damaged_.other(keys.front(), "it is a " + std::string(type) + " and no string");
  }
  damaged_.is_sound(keys.front());
  co_return found;
}

Async<std::vector<KvRecord>> RedisStore::find_kv(std::string cat, std::string key) {
  CONCERTO_CO_TRY(auto found, co_await kv_records(cat, key));
  KvTable table;
  for (KvRecord& record : found) table.put(std::move(record));
  co_return table.find(cat, key);
}

Async<KvPage> RedisStore::scan_kv(std::string cat, std::string position, std::size_t limit) {
  CONCERTO_CO_TRY(auto found, co_await kv_records(cat, ""));
  KvTable table;
  for (KvRecord& record : found) table.put(std::move(record));
  co_return table.scan(cat, position, limit);
}

Async<> RedisStore::create_kv(KvRecord record) {
  std::string command = commands_.kv_create(record);
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await common_lane().ask(std::move(command), Deed::changes));
  const std::string_view answer = Reply{reply.get()}.text();
  if (answer == "OK") co_return ok();
  if (const auto why = damage_in(answer)) {
    co_return damaged_.other(commands_.keys().kv(record.cat, record.key), *why);
  }
  KvTable table;
  table.put(record);
  co_return table.check_create(record);
}

Async<> RedisStore::update_kv(KvRecord record) {
  std::string command = commands_.kv_update(record);
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await common_lane().ask(std::move(command), Deed::changes));
  const std::string_view answer = Reply{reply.get()}.text();
  if (answer == "OK") co_return ok();
  if (const auto why = damage_in(answer)) {
    co_return damaged_.other(commands_.keys().kv(record.cat, record.key), *why);
  }
  co_return KvTable{}.check_update(record);
}

Async<> RedisStore::delete_kv(std::string cat, std::string key) {
  std::string command;
  append_command(command, {"DEL", commands_.keys().kv(cat, key)});
  CONCERTO_CO_TRY(const ReplyPtr reply,
                  co_await common_lane().ask(std::move(command), Deed::changes));
  if (Reply{reply.get()}.number() == 1) co_return ok();
  co_return KvTable{}.check_erase(cat, key);
}

}  // namespace concerto::persist
