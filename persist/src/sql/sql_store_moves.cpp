#include <algorithm>
#include <utility>

#include "../preconditions.hpp"
#include "owner_column.hpp"
#include "sql_store_calls.hpp"

/// What only those need who move the data of a SqlStore.
namespace concerto::persist {
namespace {

/// The rows of a transaction that belongs to nobody.
Result<CreateRows> rows_at_rest(const Transaction& trans, const RowClock& clock,
                                std::string_view node, const RowLimits& limits) {
  CONCERTO_TRY(CreateRows rows, rows_of(trans, clock, node, limits));
  if (is_final(trans.status)) return rows;
  rows.trans.owner = rest_mark;
  if (was_in_work(trans)) {
    rows.trans.next_cron_time =
        clock.to_row_not_later(std::min(trans.next_cron_time, trans.update_time));
  }
  return rows;
}

}  // namespace

Async<> SqlStore::create_at_rest(const Transaction& trans) {
  RowRequest request;
  CONCERTO_CO_TRY(request.rows,
                  rows_at_rest(trans, row_clock_, options_.node, connector_->limits()));
  request.gid = trans.gid.str();
  request.creates = true;
  request.bytes = listed_bytes(trans);
  for (const std::string& payload : trans.payloads) request.bytes += payload.size();
  const Executor executor = co_await asio::this_coro::executor;
  co_return co_await lanes_.commit(request, executor);
}

Result<Transaction> SqlStore::as_kept(const Transaction& trans) const {
  CONCERTO_TRY(CreateRows rows,
               rows_at_rest(trans, row_clock_, options_.node, connector_->limits()));
  StoredTrans stored;
  stored.row = std::move(rows.trans);
  stored.branches = std::move(rows.branches);
  return reader().read(std::move(stored));
}

bool SqlStore::is_in_work(const StoredTrans& stored) const {
  if (stored.is_due || !stored.row.next_cron_time) return false;
  const Holder holder = holder_of(stored.row.owner, options_.node);
  if (holder != Holder::reference) return holder == Holder::other_node;
  const auto touched = stored.row.update_time;
  return touched &&
         std::chrono::abs(clock_.wall_now() - row_clock_.from_row(*touched)) < reference_works_for;
}

Async<std::size_t> SqlStore::count_in_work() {
  constexpr std::size_t rows_at_once = 1000;
  constexpr std::size_t counted_max = 1000;
  std::size_t count = 0;
  for (std::int64_t from = 0; count < counted_max;) {
    const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
        [from](SqlConnection& connection) {
          return connection.scan_unfinished(from, rows_at_once);
        };
    CONCERTO_CO_TRY(const std::vector<StoredTrans> found,
                    co_await on_shard(io_.get_executor(), on_connection(call)));
    for (const StoredTrans& stored : found) {
      if (is_in_work(stored)) ++count;
    }
    if (found.size() < rows_at_once) break;
    from = found.back().row.id + 1;
  }
  co_return count;
}

}  // namespace concerto::persist
