#include <algorithm>
#include <memory>
#include <utility>

#include "../kv_table.hpp"
#include "../preconditions.hpp"
#include "record_json.hpp"
#include "redis_store.hpp"

/// Lists, scans and key-value records of the RedisStore.
namespace concerto::persist {
namespace {

/// How many records one command reads, so that Redis and this process do a little at a time.
constexpr std::size_t records_at_once = 50;

/// An entry of the index.
struct Entry {
  std::string gid;
  std::uint64_t place = 0;
};

std::vector<Entry> entries_of(Reply answer) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i + 1 < answer.size(); i += 2) {
    const auto place = answer[i + 1].number();
    if (place && *place >= 0) {
      entries.push_back({std::string(answer[i].text()), static_cast<std::uint64_t>(*place)});
    }
  }
  return entries;
}

/// The parts of the index that have all transactions with these statuses.
std::vector<std::string> parts_of(const ListFilter& filter, const RedisKeys& keys) {
  const StatusSet unfinished{TransStatus::prepared, TransStatus::submitted, TransStatus::aborting};
  if (filter.statuses.empty() || filter.statuses.contains(TransStatus::succeed)) {
    return {keys.all()};
  }
  std::vector<std::string> parts;
  if (filter.statuses.has_any_of(unfinished)) parts.push_back(keys.open());
  if (filter.statuses.contains(TransStatus::failed)) parts.push_back(keys.failed());
  return parts;
}

std::string newest(const std::string& part, std::optional<std::uint64_t> before) {
  std::string command;
  append_command(command, {"ZREVRANGEBYSCORE", part,
                           before ? "(" + std::to_string(*before) : std::string("+inf"), "-inf",
                           "WITHSCORES", "LIMIT", "0", std::to_string(records_at_once)});
  return command;
}

/// The newest entries of these parts, the newest first. The references outlive the call.
Async<std::vector<Entry>> newest_entries(RedisLane& lane, const std::vector<std::string>& parts,
                                         std::optional<std::uint64_t> before) {
  std::vector<Entry> entries;
  for (const std::string& part : parts) {
    std::string command = newest(part, before);
    CONCERTO_CO_TRY(const ReplyPtr reply, co_await lane.ask(std::move(command), Deed::reads));
    for (Entry& entry : entries_of(Reply{reply.get()})) entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, std::ranges::greater{}, &Entry::place);
  if (entries.size() > records_at_once) entries.resize(records_at_once);
  co_return entries;
}

}  // namespace

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

/// As `load` for each of them, with all commands under way at a time. In the order of the gids.
Task<std::vector<Result<std::optional<Transaction>>>> RedisStore::load_all(std::vector<Gid> gids) {
  struct Batch {
    std::vector<Result<ReplyPtr>> replies;
    std::size_t left = 0;
    Completion<bool> completion;
  };
  std::vector<Result<std::optional<Transaction>>> found;
  if (gids.empty()) co_return found;
  const Executor here = co_await asio::this_coro::executor;
  const auto batch = std::make_shared<Batch>();
  batch->replies.resize(gids.size());
  batch->left = gids.size();
  auto start = [this, batch, &gids, &here](Completion<bool> completion) {
    batch->completion = std::move(completion);
    for (std::size_t i = 0; i < gids.size(); ++i) {
      const auto take = [batch, i](Result<ReplyPtr> reply) {
        batch->replies[i] = std::move(reply);
        if (--batch->left == 0) batch->completion(true);
      };
      lane_of(gids[i]).ask_then(commands_.load(gids[i]), Deed::reads, here,
                                Completion<Result<ReplyPtr>>(take));
    }
  };
  co_await suspend<bool>(start);
  for (std::size_t i = 0; i < gids.size(); ++i) {
    const Result<ReplyPtr>& reply = batch->replies[i];
    if (reply) {
      found.push_back(loaded(std::move(gids[i]), *reply));
    } else {
      found.emplace_back(reply.error());
    }
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
    const std::vector<Entry> entries = entries_of(Reply{reply.get()});
    if (entries.empty()) co_return page;
    std::vector<std::string> gids;
    for (const Entry& entry : entries) gids.push_back(entry.gid);
    CONCERTO_CO_TRY(const auto found, co_await records(std::move(gids)));
    std::size_t next = 0;
    for (const Entry& entry : entries) {
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

Async<TransPage> RedisStore::list(ListFilter filter, std::string position, std::size_t limit) {
  CONCERTO_CO_TRY(auto before, parse_position(position));
  const std::size_t most = std::max<std::size_t>(limit, 1);
  const std::vector<std::string> parts = parts_of(filter, commands_.keys());
  const auto own = std::exchange(filter.accepts, {});
  TransPage page;
  std::size_t page_bytes = 0;
  for (;;) {
    CONCERTO_CO_TRY(const std::vector<Entry> entries,
                    co_await newest_entries(common_lane(), parts, before));
    if (entries.empty()) co_return page;
    std::vector<std::string> gids;
    for (const Entry& entry : entries) gids.push_back(entry.gid);
    CONCERTO_CO_TRY(const auto found, co_await records(std::move(gids)));
    // The whole transactions of those that fit so far, in their order.
    std::vector<Gid> wanted;
    for (const Transaction& trans : found) {
      if (own && matches(filter, trans)) wanted.push_back(trans.gid);
    }
    auto wholes = co_await load_all(std::move(wanted));
    std::size_t next_whole = 0;
    std::size_t next = 0;
    for (const Entry& entry : entries) {
      const std::uint64_t place = entry.place;
      if (next == found.size() || found[next].gid.str() != entry.gid) {
        before = place;
        continue;
      }
      const Transaction& trans = found[next++];
      bool fits = matches(filter, trans);
      const std::size_t at_whole = fits && own ? next_whole++ : 0;
      if (fits && filter.accepts_owner) {
        const auto owner = co_await owner_of(trans.gid);
        if (!owner) co_return owner.error();
        fits = filter.accepts_owner(*owner ? std::string_view((*owner)->id) : std::string_view());
      }
      if (fits && own) {
        const auto& whole = wholes[at_whole];
        if (!whole && whole.error().code != EngineErrc::store_damaged) co_return whole.error();
        fits = whole && *whole && own(**whole);
      }
      if (fits) {
        if (page.transactions.size() == most || page_bytes >= page_bytes_max) {
          page.next_position = std::to_string(place + 1);
          co_return page;
        }
        page.transactions.push_back(without_branches(trans));
        page_bytes += listed_bytes(page.transactions.back());
      }
      before = place;
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
