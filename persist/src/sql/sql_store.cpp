#include "sql_store.hpp"

#include <utility>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/start_thread.hpp>

#include "../preconditions.hpp"
#include "owner_column.hpp"
#include "sql_store_calls.hpp"

namespace concerto::persist {
namespace {

/// The end of a lease in a row is rounded to a second, and two clocks of one machine may differ.
constexpr std::chrono::milliseconds lease_margin{1'500};
constexpr std::chrono::milliseconds tend_pause{500};
/// How often the database is asked for its time: readiness must not depend on traffic.
constexpr std::chrono::seconds contact_pause{2};
constexpr std::chrono::seconds delete_pause{30};
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
      work_(asio::make_work_guard(io_)),
      connector_(make(io_.get_executor())),
      pool_(io_.get_executor(), *connector_, options_.pool, clock),
      lanes_(io_.get_executor(), pool_, options_.commits, options_.node, clock, observer, probe_),
      loads_(
          io_.get_executor(),
          [this](std::vector<ClaimRow> rows) { return load_rows(std::move(rows)); },
          options_.reads),
      claims_(
          io_.get_executor(),
          [this](std::vector<ClaimRow> rows) { return claim_rows(std::move(rows)); },
          options_.reads),
      tending_(io_.get_executor()),
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

Task<void> SqlStore::shut() {
  closing_ = true;
  co_await lanes_.stop();
  co_await loads_.stop();
  co_await claims_.stop();
  tending_.notify_all();
  co_await tasks_.close();
  // What was cancelled may have left a connection in the middle of a statement.
  pool_.close_idle();
  co_await leave_zones();
  pool_.close_idle();
}

Async<> SqlStore::make_contact() {
  Result<SqlLease> lease = co_await pool_.acquire();
  Result<> contact = lease ? ok() : Result<>(lease.error());
  const bool checks = options_.checks_tables && !has_checked_tables_;
  if (contact && checks) contact = co_await check_tables(**lease);
  if (contact) contact = co_await measure_clock(**lease);
  zone_verdict_ = ZoneWatch::Verdict::agrees;
  if (contact) contact = co_await check_zone(**lease);
  if (!contact) contact = store_error(contact.error());
  note_contact(contact);
  co_return contact;
}

Async<> SqlStore::check_tables(SqlConnection& connection) {
  CONCERTO_CO_TRY(SqlConnection::SchemaCheck check, co_await connection.check_schema());
  const bool is_new = check.has_none;
  if (is_new) {
    CONCERTO_CO_CHECK(co_await connection.create_schema());
    CONCERTO_CO_TRY(check, co_await connection.check_schema());
  }
  if (!check.wrong.empty()) {
    co_return make_error(EngineErrc::store_unavailable,
                         connector_->place() +
                             ": missing, or not readable for this user: " + check.wrong +
                             ". Add what is missing as the layout of DTM 1.19 has it "
                             "(docs/protocol/07-stores.md), or start once with -r, which drops "
                             "every stored transaction and makes the tables anew");
  }
  has_checked_tables_ = true;
  observer_.log(LogLevel::info, {},
                (is_new ? "opened a new store, its tables are made: " : "opened the store: ") +
                    connector_->place() + "; this coordinator is " + options_.node + " there");
  co_return ok();
}

Async<> SqlStore::measure_clock(SqlConnection& connection) {
  const WallTime before = clock_.wall_now();
  CONCERTO_CO_TRY(const std::chrono::nanoseconds now, co_await connection.now());
  const auto took = clock_.wall_now() - before;
  const std::chrono::seconds known = row_clock_.difference();
  row_clock_.measured(now - (before + took / 2).time_since_epoch(), took);
  const std::chrono::seconds ahead = row_clock_.difference();
  if (ahead != known) {
    // Differences of a second may be of the measurement.
    const bool is_wrong = std::chrono::abs(ahead) > std::chrono::seconds{1};
    observer_.log(is_wrong ? LogLevel::warn : LogLevel::info, {},
                  "the database's clock is " + std::to_string(std::chrono::abs(ahead).count()) +
                      (ahead.count() < 0 ? " s behind" : " s ahead of") + " this machine's");
  }
  co_return ok();
}

void SqlStore::note_contact(const Result<>& contact) {
  StoreHealth health;
  if (!contact) {
    const bool for_good = contact.error().code == EngineErrc::store_unavailable;
    health.add(for_good ? StoreHealth::State::failed : StoreHealth::State::recovering,
               contact.error().detail);
  }
  connections_.store(pool_.open(), std::memory_order_relaxed);
  const MutexLock lock(mutex_);
  // While the store opens, `open` tells.
  if (is_open_ && health_.state != health.state) {
    observer_.log(contact ? LogLevel::info : LogLevel::error, {},
                  contact ? "the store serves: " + connector_->place()
                          : "the store does not serve: " + contact.error().detail);
  }
  health_ = std::move(health);
}

/// Keeps the store's health up to date, and deletes old rows.
Task<void> SqlStore::tend() {
  Timer timer(io_.get_executor());
  SteadyTime contact_at{}, delete_at{};
  while (!closing_) {
    const SteadyTime now = clock_.steady_now();
    const bool is_away = pool_.away() || health().state != StoreHealth::State::serving;
    if (is_away || now >= contact_at || zone_is_due()) {
      ignore_error(co_await make_contact(), "the health tells");
      contact_at = now + contact_pause;
    }
    if (now >= delete_at && !pool_.away()) {
      ignore_error(co_await delete_finished(), "tried again later");
      delete_at = now + delete_pause;
    }
    connections_.store(pool_.open(), std::memory_order_relaxed);
    timer.expires_after(tend_pause);
    timer.async_wait([this](const error_code& error) {
      if (!error) tending_.notify_all();
    });
    const bool notified = co_await tending_.wait();
    if (!notified) break;
  }
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

Result<std::size_t> SqlStore::count_in_work_now() {
  return wait_for(count_in_work());
}

Result<> SqlStore::reset() {
  const std::function<Async<>(SqlConnection&)> drop = [](SqlConnection& connection) {
    return connection.drop_schema();
  };
  const std::function<Async<>(SqlConnection&)> create = [](SqlConnection& connection) {
    return connection.create_schema();
  };
  CONCERTO_CHECK(wait_for(on_connection(drop)));
  return wait_for(on_connection(create));
}

StoreHealth SqlStore::health() const {
  const MutexLock lock(mutex_);
  StoreHealth health = health_;
  if (closed_) health.add(StoreHealth::State::failed, "the store is closed");
  return health;
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
      {"queued_changes", "Changes that wait for the database or are under way", Kind::gauge,
       value(probe_.queued_changes)},
      {"queued_bytes", "Bytes of these changes", Kind::gauge, value(probe_.queued_bytes)},
      {"connections", "Connections to the database", Kind::gauge, value(connections_)},
  };
  return numbers;
}

std::chrono::nanoseconds SqlStore::lease() const noexcept {
  return options_.lease.in_row - options_.lease.slack - lease_margin;
}

Async<> SqlStore::commit(Change change) {
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
