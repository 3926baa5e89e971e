#include <utility>

#include "sql_store_calls.hpp"

/// How SqlStore looks whether its database serves, and what it does if not.
namespace concerto::persist {
namespace {

constexpr std::chrono::milliseconds tend_pause{500};
/// How often the database is asked for its time: readiness must not depend on traffic.
constexpr std::chrono::seconds contact_pause{2};
constexpr int contact_attempts_max = 3;
constexpr std::chrono::seconds contact_again_within{1};
constexpr std::chrono::seconds delete_pause{30};

bool is_lost(const Result<>& outcome) noexcept {
  return !outcome &&
         (outcome.error().code == SqlErrc::not_now || outcome.error().code == SqlErrc::answer_lost);
}

}  // namespace

/// Looks whether the database serves, and tells everybody.
Async<> SqlStore::make_contact() {
  for (int attempt = 1;; ++attempt) {
    const SteadyTime begun = clock_.steady_now();
    const Result<> contact = co_await try_contact();
    // The server may have closed this connection and nothing else.
    const bool asks_again = is_lost(contact) && attempt < contact_attempts_max &&
                            !pool_.is_gate_closed() &&
                            clock_.steady_now() - begun < contact_again_within;
    if (asks_again) {
      pool_.close_idle();  // It may be about to close those, too.
      continue;
    }
    // A server that is there and does not serve says so at once.
    note_contact(contact, clock_.steady_now() - begun >= contact_again_within);
    if (contact && zone_verdict_ == ZoneWatch::Verdict::agrees) {
      say_opened();
      co_return ok();
    }
    if (contact) {
      co_return make_error(EngineErrc::store_busy, connector_->place() + ": " + zones_.reason());
    }
    if (contact.error().code != SqlErrc::wrong_schema) co_return store_error(contact.error());
    co_return make_error(EngineErrc::store_unavailable, contact.error().detail);
  }
}

Async<> SqlStore::try_contact() {
  CONCERTO_CO_TRY(const SqlLease lease, co_await pool_.acquire(SqlPool::Gate::passed));
  if (options_.checks_tables && !has_checked_tables_) {
    CONCERTO_CO_CHECK(co_await check_tables(*lease));
  }
  CONCERTO_CO_CHECK(co_await ask_time(*lease));
  if (is_stopping_) co_return ok();
  CONCERTO_CO_CHECK(co_await check_zone(*lease));
  if (!options_.checks_tables) co_return ok();
  co_return co_await check_write(*lease);
}

/// While the question is under way and gets no answer, others are told that the database is away.
Async<> SqlStore::ask_time(SqlConnection& connection) {
  is_asking_ = true;
  silence_.expires_after(options_.silence_max);
  silence_.async_wait([this](const error_code& error) {
    if (error || !is_asking_) return;
    turn_away(make_error(SqlErrc::not_now,
                         connector_->place() + " accepts connections and does not answer"),
              true);
  });
  const SteadyTime begun = clock_.steady_now();
  const Result<> asked = co_await measure_clock(connection);
  is_asking_ = false;
  silence_.cancel();
  answer_time_ = clock_.steady_now() - begun;
  co_return asked;
}

/// A lack of rights is no reason to turn away those who only read.
Async<> SqlStore::check_write(SqlConnection& connection) {
  const Result<> check = co_await connection.check_write();
  if (is_lost(check)) co_return check;
  watch_.checked(check);
  // A store that opens tells at once what it lacks.
  if (!check && !is_open_) co_return check;
  if (check) pool_.rights_are_back();
  co_return ok();
}

Async<> SqlStore::check_tables(SqlConnection& connection) {
  CONCERTO_CO_TRY(SqlConnection::SchemaCheck check, co_await connection.check_schema());
  const bool is_new = check.has_none;
  if (is_new) {
    const Result<> made = co_await connection.create_schema();
    if (!made) {
      co_return Error{made.error().code, "the tables cannot be made in " + connector_->place() +
                                             ": " + made.error().detail};
    }
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
  opened_line_ = (is_new ? "opened a new store, its tables are made: " : "opened the store: ") +
                 connector_->place() + "; this coordinator is " + options_.node + " there";
  co_return ok();
}

/// After all checks: any of them may end the start.
void SqlStore::say_opened() {
  if (!opened_line_.empty()) observer_.log(LogLevel::info, {}, std::exchange(opened_line_, {}));
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
    const std::string where = std::to_string(std::chrono::abs(ahead).count()) +
                              (ahead.count() < 0 ? " s behind" : " s ahead of");
    observer_.log(
        is_wrong ? LogLevel::warn : LogLevel::info, {},
        "the database's clock is " + (ahead.count() == 0 ? "again as" : where) + " this machine's");
  }
  co_return ok();
}

/// A connection that cannot be made is the first sign of an outage: the next contact, which tells
/// the operator what it means, is made at once.
void SqlStore::note_try(const Result<>& tried) {
  if (!is_open_ || is_over_) return;
  watch_.connected(tried);
  if (tried || pool_.away()) return;
  has_doubt_ = true;
  tending_.notify_all();
}

void SqlStore::note_contact(const Result<>& contact, bool was_slow) {
  connections_.store(pool_.open(), std::memory_order_relaxed);
  if (contact) {
    pool_.open_gate();
    watch_.reached(answer_time_);
  } else if (!is_over_) {
    // The other connections are of a server that does not serve this one.
    pool_.close_idle();
    turn_away(contact.error(), was_slow);
  }
}

/// Nobody waits for the database until it answers again.
void SqlStore::turn_away(const Error& why, bool is_silent) {
  watch_.away(why, is_silent, !is_open_);  // `open` tells
  const Error error = make_error(EngineErrc::store_busy, why.detail);
  pool_.close_gate(error);
  lanes_.answer_waiting(error);
  loads_.answer_waiting(error);
  claims_.answer_waiting(error);
}

/// Keeps the store's health up to date, and has old rows deleted.
Task<void> SqlStore::tend() {
  Timer timer(io_.get_executor());
  SteadyTime contact_at{}, delete_at{};
  while (!is_over_) {
    const SteadyTime now = clock_.steady_now();
    const bool is_away = pool_.away() || health().state != StoreHealth::State::serving;
    // A stop has no time to find out late that the database is silent.
    const bool doubts = std::exchange(has_doubt_, false);
    if (is_away || doubts || is_stopping_ || now >= contact_at || zone_is_due()) {
      ignore_error(co_await make_contact(), "the health tells");
      contact_at = now + contact_pause;
    }
    watch_.look();
    if (now >= delete_at && !pool_.away() && !is_deleting_) {
      // The health must not wait for it.
      tasks_.spawn(delete_in_background());
      delete_at = now + delete_pause;
    }
    connections_.store(pool_.open(), std::memory_order_relaxed);
    timer.expires_after(pool_.away() ? options_.pool.retry_after
                                     : std::chrono::nanoseconds(tend_pause));
    timer.async_wait([this](const error_code& error) {
      if (!error) tending_.notify_all();
    });
    const bool notified = co_await tending_.wait();
    if (!notified) break;
  }
}

StoreHealth SqlStore::health() const {
  StoreHealth health = watch_.health();
  {
    const MutexLock lock(mutex_);
    if (!zone_conflict_.empty()) health.add(StoreHealth::State::recovering, zone_conflict_);
  }
  if (closed_) health.add(StoreHealth::State::failed, "the store is closed");
  return health;
}

}  // namespace concerto::persist
