#include <algorithm>
#include <memory>
#include <utility>

#include "../preconditions.hpp"
#include "redis_index.hpp"
#include "redis_store.hpp"

/// Lists of the RedisStore.
namespace concerto::persist {
namespace {

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
Async<std::vector<IndexEntry>> newest_entries(RedisLane& lane,
                                              const std::vector<std::string>& parts,
                                              std::optional<std::uint64_t> before) {
  std::vector<IndexEntry> entries;
  for (const std::string& part : parts) {
    std::string command = newest(part, before);
    CONCERTO_CO_TRY(const ReplyPtr reply, co_await lane.ask(std::move(command), Deed::reads));
    for (IndexEntry& entry : entries_of(Reply{reply.get()})) entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, std::ranges::greater{}, &IndexEntry::place);
  if (entries.size() > records_at_once) entries.resize(records_at_once);
  co_return entries;
}

/// Whether a list of these statuses shows most of what it reads.
bool shows_most(const ListFilter& filter) {
  return !filter.statuses.empty() && !filter.statuses.contains(TransStatus::succeed);
}

}  // namespace

/// The answers to all of them, which are under way at a time.
Task<std::vector<Result<ReplyPtr>>> RedisStore::ask_all(std::vector<LaneRead> reads) {
  struct Batch {
    std::vector<Result<ReplyPtr>> replies;
    std::size_t left = 0;
    Completion<bool> completion;
  };
  if (reads.empty()) co_return std::vector<Result<ReplyPtr>>();
  const Executor here = co_await asio::this_coro::executor;
  const auto batch = std::make_shared<Batch>();
  batch->replies.resize(reads.size());
  batch->left = reads.size();
  auto start = [batch, &reads, &here](Completion<bool> completion) {
    batch->completion = std::move(completion);
    for (std::size_t i = 0; i < reads.size(); ++i) {
      const auto take = [batch, i](Result<ReplyPtr> reply) {
        batch->replies[i] = std::move(reply);
        if (--batch->left == 0) batch->completion(true);
      };
      reads[i].lane->ask_then(std::move(reads[i].command), Deed::reads, here,
                              Completion<Result<ReplyPtr>>(take));
    }
  };
  co_await suspend<bool>(start);
  co_return std::move(batch->replies);
}

/// The whole transactions; what has expired or is damaged is left out. One command on each lane
/// reads all of its gids, and what is not as most are is read alone.
Async<std::vector<Transaction>> RedisStore::wholes(std::vector<Gid> gids) {
  std::array<std::vector<Gid>, gid_lanes> of_lane;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // the command, and the place in it
  for (const Gid& gid : gids) {
    std::vector<Gid>& own = of_lane[lane_index(gid)];
    places.emplace_back(lane_index(gid), own.size());
    own.push_back(gid);
  }
  std::vector<LaneRead> reads;
  for (std::size_t i = 0; i < gid_lanes; ++i) {
    reads.push_back({lanes_[i].get(), commands_.load_many(of_lane[i])});
  }
  const std::vector<Result<ReplyPtr>> replies = co_await ask_all(std::move(reads));
  std::vector<Transaction> found;
  for (std::size_t i = 0; i < gids.size(); ++i) {
    const Result<ReplyPtr>& reply = replies[places[i].first];
    if (!reply) co_return reply.error();
    const Reply shown = Reply{reply->get()}[places[i].second];
    Result<std::optional<Transaction>> whole;
    if (shown.size() == 2) {
      whole = co_await loaded(std::move(gids[i]), shown);
    } else {
      whole = co_await load(std::move(gids[i]));
    }
    if (!whole && whole.error().code != EngineErrc::store_damaged) co_return whole.error();
    if (whole && *whole) found.push_back(std::move(**whole));
  }
  co_return found;
}

/// Who has the lease of each of them; empty: nobody.
Async<std::vector<std::string>> RedisStore::owners_of(const std::vector<Transaction>& found) {
  std::vector<LaneRead> reads;
  for (const Transaction& trans : found) {
    reads.push_back({&lane_of(trans.gid), commands_.owner_of(trans.gid)});
  }
  const std::vector<Result<ReplyPtr>> replies = co_await ask_all(std::move(reads));
  std::vector<std::string> owners;
  for (const Result<ReplyPtr>& reply : replies) {
    if (!reply) co_return reply.error();
    std::optional<Owner> owner = owner_told(Reply{reply->get()});
    owners.push_back(owner ? std::move(owner->id) : std::string());
  }
  co_return owners;
}

/// Those of the gids that match the filter, in their order.
Async<std::vector<Transaction>> RedisStore::candidates(const ListFilter& filter, bool are_whole,
                                                       std::vector<std::string> gids) {
  std::vector<Transaction> found;
  if (!are_whole || !shows_most(filter)) {
    CONCERTO_CO_TRY(found, co_await records(std::move(gids)));
    std::erase_if(found, [&filter](const Transaction& one) { return !matches(filter, one); });
    gids.clear();
    for (const Transaction& trans : found) gids.push_back(trans.gid.str());
  }
  if (are_whole) {
    std::vector<Gid> wanted;
    for (std::string& gid : gids) wanted.emplace_back(std::move(gid));
    CONCERTO_CO_TRY(found, co_await wholes(std::move(wanted)));
    std::erase_if(found, [&filter](const Transaction& one) { return !matches(filter, one); });
  }
  co_return found;
}

Async<TransPage> RedisStore::list(ListFilter filter, std::string position, std::size_t limit) {
  CONCERTO_CO_TRY(auto before, parse_position(position));
  const std::size_t most = std::max<std::size_t>(limit, 1);
  const std::vector<std::string> parts = parts_of(filter, commands_.keys());
  const auto accepts = std::exchange(filter.accepts, {});
  const bool are_whole = static_cast<bool>(accepts);
  TransPage page;
  std::size_t page_bytes = 0;
  for (;;) {
    CONCERTO_CO_TRY(const std::vector<IndexEntry> entries,
                    co_await newest_entries(common_lane(), parts, before));
    if (entries.empty()) co_return page;
    std::vector<std::string> gids;
    for (const IndexEntry& entry : entries) gids.push_back(entry.gid);
    CONCERTO_CO_TRY(const std::vector<Transaction> found,
                    co_await candidates(filter, are_whole, std::move(gids)));
    std::vector<std::string> owners;
    if (filter.accepts_owner) {
      CONCERTO_CO_TRY(owners, co_await owners_of(found));
    }
    std::size_t next = 0;
    for (const IndexEntry& entry : entries) {
      if (next == found.size()) break;
      if (found[next].gid.view() != entry.gid) continue;
      const std::size_t at = next++;
      const Transaction& trans = found[at];
      if (filter.accepts_owner && !filter.accepts_owner(owners[at])) continue;
      if (accepts && !accepts(trans)) continue;
      if (page.transactions.size() == most || page_bytes >= page_bytes_max) {
        page.next_position = std::to_string(entry.place + 1);
        co_return page;
      }
      page.transactions.push_back(without_branches(trans));
      page_bytes += listed_bytes(page.transactions.back());
    }
    before = entries.back().place;
  }
}

}  // namespace concerto::persist
