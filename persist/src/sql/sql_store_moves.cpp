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

/// When a transaction that others work on is free if they are gone. Absent: nobody works on it.
std::optional<WallTime> SqlStore::in_work_until(const StoredTrans& stored) const {
  if (stored.is_due || !stored.row.next_cron_time) return std::nullopt;
  const WallTime until = row_clock_.from_row(*stored.row.next_cron_time);
  const Holder holder = holder_of(stored.row.owner, options_.node);
  if (holder == Holder::other_node) return until;
  if (holder != Holder::reference || !stored.row.update_time) return std::nullopt;
  const WallTime touched = row_clock_.from_row(*stored.row.update_time);
  if (std::chrono::abs(clock_.wall_now() - touched) >= reference_works_for) return std::nullopt;
  return std::min(until, touched + reference_works_for);
}

Async<WorkOfOthers> SqlStore::work_of_others() {
  constexpr std::size_t rows_at_once = 1000;
  constexpr std::size_t counted_max = 1000;
  WorkOfOthers work;
  for (std::int64_t from = 0;;) {
    const std::function<Async<std::vector<StoredTrans>>(SqlConnection&)> call =
        [from](SqlConnection& connection) {
          return connection.scan_unfinished(from, rows_at_once);
        };
    CONCERTO_CO_TRY(const std::vector<StoredTrans> found,
                    co_await on_shard(io_.get_executor(), on_connection(call)));
    const WallTime now = clock_.wall_now();
    for (const StoredTrans& stored : found) {
      const std::optional<WallTime> until = in_work_until(stored);
      if (until) work.add(std::chrono::duration_cast<std::chrono::milliseconds>(*until - now));
    }
    if (found.size() < rows_at_once) break;
    if (work.count >= counted_max) {
      work.free_in.reset();
      break;
    }
    from = found.back().row.id + 1;
  }
  co_return work;
}

}  // namespace concerto::persist
