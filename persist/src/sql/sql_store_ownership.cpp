#include <algorithm>
#include <set>
#include <utility>

#include "owner_column.hpp"
#include "sql_store_calls.hpp"

namespace concerto::persist {
namespace {

/// A backlog counts at most so many rows.
constexpr std::size_t counted_max = 100'000;

}  // namespace

Async<Claimed> SqlStore::claim(Gid gid, Claim how) {
  co_return co_await on_shard(io_.get_executor(), claim_here(gid.str(), how));
}

Async<Claimed> SqlStore::claim_here(std::string gid, Claim how) {
  CONCERTO_CO_CHECK(may_take_work());
  if (!fits_column(gid, id_chars_max)) co_return Claimed{};
  CONCERTO_CO_CHECK(co_await lanes_.settle(gid));
  CONCERTO_CO_TRY(std::optional<StoredTrans> found, co_await claims_.read(std::move(gid), how));
  Claimed claimed;
  if (!found) co_return claimed;
  claimed.is_ours = found->was_claimed;
  std::vector<std::string> damaged(claimed.is_ours ? 1 : 0, found->row.gid);
  Result<Transaction> trans = read(std::move(*found));
  if (!trans) {
    ignore_error(co_await let_rest(std::move(damaged)), "the lease runs out");
    co_return trans.error();
  }
  claimed.trans = std::move(*trans);
  co_return claimed;
}

/// For transactions that were claimed and cannot be read: they are looked at again later.
Async<> SqlStore::let_rest(std::vector<std::string> gids) {
  constexpr std::chrono::seconds rest{60};
  const RowTime until = row_clock_.to_row_not_earlier(clock_.wall_now() + rest);
  for (std::string& gid : gids) CONCERTO_CO_CHECK(co_await let_go_here(std::move(gid), until));
  co_return ok();
}

Async<std::vector<StoredTrans>> SqlStore::claim_rows(std::vector<ClaimRow> rows) {
  const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
      [&rows](SqlConnection& connection) { return connection.claim(rows); };
  co_return co_await on_connection(call);
}

/// While the database needs long for what is queued, nothing is claimed: the leases would end
/// before their transactions go on.
Async<std::vector<StoredTrans>> SqlStore::claim_due_here(std::size_t limit) {
  const SteadyTime until = clock_.steady_now() + lease() / 4;
  CONCERTO_CO_CHECK(co_await lanes_.settle_all());
  if (clock_.steady_now() >= until) co_return std::vector<StoredTrans>();
  const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
      [limit](SqlConnection& connection) { return connection.claim_due(limit); };
  co_return co_await on_connection(call);
}

Async<std::vector<Transaction>> SqlStore::claim_due(std::size_t limit) {
  CONCERTO_CO_CHECK(may_take_work());
  CONCERTO_CO_TRY(std::vector<StoredTrans> found,
                  co_await on_shard(io_.get_executor(), claim_due_here(limit)));
  TakenOver taken;
  for (const StoredTrans& one : found) {
    const bool is_others = holder_of(one.row.owner, options_.node) == Holder::other_node;
    if (is_others) taken.add(one.row.owner);
  }
  if (const std::string line = taken.line(); !line.empty()) observer_.log(LogLevel::info, {}, line);
  std::vector<std::string> damaged;
  std::vector<Transaction> claimed = read_all(std::move(found), Extent::whole, damaged);
  if (!damaged.empty()) {
    ignore_error(co_await on_shard(io_.get_executor(), let_rest(std::move(damaged))),
                 "the leases run out");
  }
  co_return claimed;
}

Async<std::vector<Gid>> SqlStore::renew(std::vector<Gid> gids) {
  CONCERTO_CO_CHECK(may_take_work());
  std::vector<std::string> texts;
  for (const Gid& gid : gids) texts.push_back(gid.str());
  const std::function<Async<std::vector<std::string>>(SqlConnection&)> call =
      [texts](SqlConnection& connection) { return connection.renew(texts); };
  CONCERTO_CO_TRY(const std::vector<std::string> renewed,
                  co_await on_shard(io_.get_executor(), on_connection(call)));
  const std::set<std::string_view> ours(renewed.begin(), renewed.end());
  std::erase_if(gids, [&ours](const Gid& gid) { return ours.contains(gid.view()); });
  co_return gids;
}

Async<> SqlStore::let_go(Gid gid, WallTime until) {
  // What is let go at once is due at once, also for the part of a second that rows do not have.
  const RowTime time = until <= clock_.wall_now() ? row_clock_.to_row_not_later(until)
                                                  : row_clock_.to_row_not_earlier(until);
  co_return co_await on_shard(io_.get_executor(), let_go_here(gid.str(), time));
}

Async<> SqlStore::let_go_here(std::string gid, RowTime until) {
  CONCERTO_CO_CHECK(co_await lanes_.settle(gid));
  const std::function<Async<>(SqlConnection&)> call = [gid, until](SqlConnection& connection) {
    return connection.let_go(gid, until);
  };
  co_return co_await on_connection(call);
}

Async<std::vector<Gid>> SqlStore::resting(std::chrono::seconds beyond, WallTime unchanged_since,
                                          std::size_t limit) {
  CONCERTO_CO_CHECK(may_take_work());
  const RowTime since = row_clock_.to_row(unchanged_since);  // as times of changes
  const std::function<Async<std::vector<std::string>>(SqlConnection&)> call =
      [beyond, since, limit](SqlConnection& connection) {
        return connection.resting(beyond, since, limit);
      };
  CONCERTO_CO_TRY(std::vector<std::string> found,
                  co_await on_shard(io_.get_executor(), on_connection(call)));
  std::vector<Gid> gids;
  for (std::string& gid : found) gids.emplace_back(std::move(gid));
  co_return gids;
}

Async<Backlog> SqlStore::backlog() {
  const std::function<Async<SqlConnection::BacklogRows>(SqlConnection&)> call =
      [](SqlConnection& connection) { return connection.backlog(counted_max); };
  CONCERTO_CO_TRY(const SqlConnection::BacklogRows rows,
                  co_await on_shard(io_.get_executor(), on_connection(call)));
  Backlog backlog;
  std::size_t sum = 0;
  for (const auto& [type, count] : rows.by_type) {
    backlog.by_type.at(static_cast<std::size_t>(trans_type_from(type))) += count;
    sum += count;
  }
  if (rows.oldest) backlog.oldest = row_clock_.from_row(*rows.oldest);
  backlog.is_complete = sum < counted_max;
  co_return backlog;
}

Async<std::optional<Owner>> SqlStore::owner_of(Gid gid) {
  co_return co_await on_shard(io_.get_executor(), owner_here(gid.str()));
}

Async<std::optional<Owner>> SqlStore::owner_here(std::string gid) {
  std::optional<Owner> owner;
  if (!fits_column(gid, id_chars_max)) co_return owner;
  const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
      [gid](SqlConnection& connection) { return connection.load({gid}); };
  CONCERTO_CO_TRY(const std::vector<StoredTrans> found, co_await on_connection(call));
  if (found.empty() || found.front().is_due) co_return owner;
  const TransRow& row = found.front().row;
  const auto status = trans_status_from(row.status);
  const Holder holder = holder_of(row.owner, options_.node);
  const bool has_owner = status && !is_final(*status) && holder != Holder::nobody;
  if (!has_owner || !row.next_cron_time) co_return owner;
  owner.emplace();
  owner->id = row.owner;
  owner->is_this = holder == Holder::this_node;
  owner->is_coordinator = holder != Holder::reference;
  owner->until = row_clock_.from_row(*row.next_cron_time);
  co_return owner;
}

}  // namespace concerto::persist
