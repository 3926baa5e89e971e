#include "sql_store.hpp"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/counted.hpp>
#include <concerto/base/start_thread.hpp>

#include "../preconditions.hpp"
#include "owner_column.hpp"
#include "sql_store_calls.hpp"

namespace concerto::persist {
namespace {

/// The end of a lease in a row is rounded to a second, and two clocks of one machine may differ.
constexpr std::chrono::milliseconds lease_margin{1'500};
constexpr std::chrono::milliseconds give_up_pause{100};
constexpr std::size_t deleted_at_once = 500;

std::size_t bytes_of(const Transaction& trans) {
  std::size_t bytes = listed_bytes(trans);
  for (const std::string& payload : trans.payloads) bytes += payload.size();
  return bytes + trans.branches.size() * sizeof(BranchRow);
}

std::size_t bytes_of(const TransDelta& delta) {
  std::size_t bytes = sizeof delta;
  for (const std::string& payload : delta.new_payloads) bytes += payload.size();
  return bytes + delta.new_branches.size() * sizeof(BranchRow);
}

}  // namespace

SqlStore::SqlStore(SqlStoreOptions options, const MakeConnector& make, const Clock& clock,
                   Observer& observer)
    : options_(std::move(options)),
      clock_(clock),
      observer_(observer),
      damaged_(observer),
      work_(asio::make_work_guard(io_)),
      connector_(make(io_.get_executor())),
      watch_(connector_->place(), clock, observer),
      pool_(io_.get_executor(), *connector_, options_.pool, clock,
            [this](const Result<>& tried) { note_try(tried); }),
      lanes_(io_.get_executor(), pool_, options_.commits, options_.node, clock, observer, probe_,
             watch_),
      loads_(
          io_.get_executor(),
          [this](std::vector<ClaimRow> rows) { return load_rows(std::move(rows)); },
          options_.reads),
      claims_(
          io_.get_executor(),
          [this](std::vector<ClaimRow> rows) { return claim_rows(std::move(rows)); },
          options_.reads),
      tending_(io_.get_executor()),
      silence_(io_.get_executor()),
      giving_up_(io_.get_executor()),
      zones_(options_.node, options_.zone_times),
      may_take_work_(!options_.checks_zone || !connector_->has_zoneless_times()),
      tasks_(io_.get_executor()),
      retention_(options_.retention) {}

Result<std::unique_ptr<SqlStore>> SqlStore::open(SqlStoreOptions options, const MakeConnector& make,
                                                 const Clock& clock, Observer& observer) {
  std::unique_ptr<SqlStore> store(new SqlStore(std::move(options), make, clock, observer));
  SqlStore& opened = *store;
  CONCERTO_CHECK(start_thread(opened.thread_, "of the store", [&opened] { opened.io_.run(); }));
  const SteadyTime until = clock.steady_now() + opened.options_.open_patience;
  bool says_why = false;
  for (;;) {
    const Result<> contact = opened.wait_for(opened.make_contact());
    if (contact) break;
    if (contact.error().code == EngineErrc::store_unavailable) return contact.error();
    if (opened.zone_verdict_ == ZoneWatch::Verdict::differs) {
      return make_error(EngineErrc::store_unavailable, contact.error().detail);
    }
    const bool may_differ = opened.zone_verdict_ == ZoneWatch::Verdict::undecided;
    if (may_differ && !std::exchange(says_why, true)) {
      observer.log(LogLevel::warn, {}, "the start waits: " + contact.error().detail);
    }
    if (may_differ || clock.steady_now() < until) {
      std::this_thread::sleep_for(opened.options_.pool.retry_after);
      continue;
    }
    observer.log(LogLevel::warn, {},
                 "the store cannot be reached yet, it is tried again: " + contact.error().detail);
    break;
  }
  asio::post(opened.io_, [&opened] {
    opened.is_open_ = true;
    opened.lanes_.start();
    opened.tasks_.spawn(opened.tend());
  });
  return store;
}

SqlStore::~SqlStore() {
  close();
}

void SqlStore::close() {
  if (closed_.exchange(true) || !thread_.joinable()) return;
  asio::co_spawn(io_, shut(), [this](const std::exception_ptr&) { work_.reset(); });
  thread_.join();
}

void SqlStore::begin_stop(SteadyTime until) noexcept {
  asio::post(io_, [this, until] {
    if (!std::exchange(is_stopping_, true)) give_up_after(until);
  });
}

/// From then on, what waits for a database that does not answer ends.
void SqlStore::give_up_after(SteadyTime until) {
  failed_before_stop_ = watch_.failed_changes();
  is_giving_up_ = true;
  give_up_at(until);
}

void SqlStore::give_up_at(SteadyTime at) {
  giving_up_.expires_after(at - clock_.steady_now());
  giving_up_.async_wait([this](const error_code& error) {
    // A cancel does not reach a timer that has expired before it.
    if (error || !is_giving_up_) return;
    if (pool_.is_gate_closed()) {
      lanes_.give_up();
      pool_.cut();
    }
    give_up_at(clock_.steady_now() + give_up_pause);
  });
}

Task<void> SqlStore::shut() {
  closing_ = true;
  if (!std::exchange(is_stopping_, true)) give_up_after(clock_.steady_now());
  co_await lanes_.stop();
  co_await loads_.stop();
  co_await claims_.stop();
  if (const auto left = watch_.failed_changes() - failed_before_stop_; left > 0) {
    observer_.log(LogLevel::warn, {},
                  "during the stop the database did not confirm " + counted(left, "change") +
                      "; the transactions go on from what is stored");
  }
  is_over_ = true;
  tending_.notify_all();
  co_await tasks_.close();
  is_giving_up_ = false;
  giving_up_.cancel();
  silence_.cancel();  // The question may have been cancelled, which leaves its timer.
  // What was cancelled may have left a connection in the middle of a statement.
  pool_.close_idle();
  co_await leave_zones();
  pool_.close_idle();
}

Task<void> SqlStore::delete_in_background() {
  is_deleting_ = true;
  ignore_error(co_await delete_finished(), "tried again later");
  is_deleting_ = false;
}

Async<> SqlStore::delete_finished() {
  if (!options_.deletes_finished) co_return ok();
  StoreRetention retention;
  {
    const MutexLock lock(mutex_);
    retention = retention_;
  }
  CONCERTO_CO_CHECK(co_await delete_finished(TransStatus::succeed, retention.finished_expire));
  co_return co_await delete_finished(TransStatus::failed,
                                     std::max(retention.failed_expire, retention.finished_expire));
}

Async<> SqlStore::delete_finished(TransStatus status, std::chrono::seconds age) {
  if (age == std::chrono::seconds::max()) co_return ok();
  const RowTime before = row_clock_.to_row_not_later(clock_.wall_now() - age);
  for (std::size_t deleted = deleted_at_once; deleted == deleted_at_once && !closing_;) {
    CONCERTO_CO_TRY(SqlLease lease, co_await pool_.acquire());
    CONCERTO_CO_TRY(deleted, co_await lease->delete_finished(status, before, deleted_at_once));
  }
  co_return ok();
}

void SqlStore::set_retention(const StoreRetention& retention) {
  const MutexLock lock(mutex_);
  retention_ = retention;
}

Result<> SqlStore::maintain() {
  const Result<> done = wait_for(delete_finished());
  return done ? ok() : Result<>(store_error(done.error()));
}

Result<std::size_t> SqlStore::count_unfinished() {
  CONCERTO_TRY(const Backlog counted, wait_for(backlog()));
  std::size_t sum = 0;
  for (const std::size_t count : counted.by_type) sum += count;
  return sum;
}

Result<WorkOfOthers> SqlStore::work_of_others_now() {
  return wait_for(work_of_others());
}

Result<> SqlStore::reset() {
  const std::function<Async<>(SqlConnection&)> drop = [](SqlConnection& connection) {
    return connection.drop_schema();
  };
  return wait_for(on_connection(drop));
}

StoreNumbers SqlStore::numbers() const {
  using Kind = StoreNumber::Kind;
  const auto value = [](const auto& counter) {
    return static_cast<double>(counter.load(std::memory_order_relaxed));
  };
  StoreNumbers numbers;
  numbers.numbers = {
      {"groups_total", "Groups of changes that were sent to the database", Kind::counter,
       value(probe_.groups)},
      {"changes_total", "Changes in these groups", Kind::counter, value(probe_.changes)},
      {"refused_total", "New transactions that found no room in the queue", Kind::counter,
       value(probe_.refused)},
      {"failed_changes_total", "Tries of changes that the database refused or did not answer",
       Kind::counter, static_cast<double>(watch_.failed_changes())},
      {"queued_changes", "Changes that wait for the database or are under way", Kind::gauge,
       value(probe_.queued_changes)},
      {"queued_bytes", "Bytes of these changes", Kind::gauge, value(probe_.queued_bytes)},
      {"damaged_records", "Damaged rows that this process has met and not read since", Kind::gauge,
       static_cast<double>(damaged_.count())},
      {"connections", "Connections to the database", Kind::gauge, value(connections_)},
  };
  return numbers;
}

std::chrono::nanoseconds SqlStore::lease() const noexcept {
  return options_.lease.in_row - options_.lease.slack - lease_margin;
}

std::string SqlStore::node() const {
  return options_.node;
}

Async<> SqlStore::commit(const Change& change) {
  auto request = std::make_unique<RowRequest>();
  request->durability = change.durability;
  const RowLimits limits = connector_->limits();
  if (const auto* created = std::get_if<CreateTrans>(&change.what)) {
    CONCERTO_CO_CHECK(may_take_work());
    CONCERTO_CO_TRY(request->rows, rows_of(*created->trans, row_clock_, options_.node, limits));
    request->gid = created->trans->gid.str();
    request->creates = true;
    request->bytes = bytes_of(*created->trans);
  } else {
    const UpdateTrans& update = std::get<UpdateTrans>(change.what);
    std::optional<Transaction> stored;
    if (update.known == nullptr) {
      CONCERTO_CO_TRY(stored, co_await load(update.gid));
      if (!stored) co_return trans_not_found(update.gid);
    }
    const Transaction& known = update.known == nullptr ? *stored : *update.known;
    CONCERTO_CO_TRY(request->rows, rows_of(update, known, row_clock_, limits));
    request->gid = update.gid.str();
    request->bytes = bytes_of(update.delta);
  }
  if (change.durability == Durability::progress) {
    co_return lanes_.commit_progress(std::move(request));
  }
  const Executor executor = co_await asio::this_coro::executor;
  co_return co_await lanes_.commit(*request, executor);
}

}  // namespace concerto::persist
