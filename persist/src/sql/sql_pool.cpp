#include "sql_pool.hpp"

#include <utility>

namespace concerto::persist {
namespace {

/// Whether the server is there, and only this new connection is not made.
bool takes_no_further(const Error& error) noexcept {
  return error.code == SqlErrc::no_connection_left || error.code == SqlErrc::wrong_schema;
}

}  // namespace

SqlLease& SqlLease::operator=(SqlLease&& other) noexcept {
  if (this == &other) return *this;
  reset();
  pool_ = other.pool_;
  connection_ = std::move(other.connection_);
  opened_ = other.opened_;
  return *this;
}

SqlLease::~SqlLease() {
  reset();
}

void SqlLease::reset() {
  if (connection_ != nullptr) pool_->give_back(std::move(connection_), opened_);
}

Async<SqlLease> SqlPool::acquire(Gate gate) {
  for (;;) {
    if (gate_ && gate == Gate::respected) co_return *gate_;
    if (lacks_rights_ && clock_.steady_now() - renewed_at_ >= limits_.renew_after) renew();
    if (SqlLease idle = take_idle(); idle.operator->() != nullptr) co_return idle;
    // While the database takes no further connection, those that this pool has are enough.
    const bool waits = open_ > 0 && clock_.steady_now() < full_until_;
    if (open_ < limits_.open_max && !waits) break;
    const bool notified = co_await freed_.wait();
    if (!notified) co_return make_error(SqlErrc::not_now, "the store is being closed");
  }
  const SteadyTime now = clock_.steady_now();
  if (away_) {
    if (now < next_try_) co_return *away_;
    next_try_ = now + limits_.retry_after;
  }
  ++open_;
  Result<std::unique_ptr<SqlConnection>> opened = co_await connector_.connect();
  if (!opened) {
    --open_;
    if (now < answered_at_) co_return co_await acquire(gate);
    note_try_(opened.error());
    if (takes_no_further(opened.error()) && open_ > 0 && !gate_) {
      full_until_ = clock_.steady_now() + limits_.retry_after;
      co_return co_await acquire(gate);
    }
    away_ = opened.error();
    next_try_ = clock_.steady_now() + limits_.retry_after;
    freed_.notify_all();
    co_return std::move(opened).error();
  }
  away_.reset();
  note_try_(ok());
  co_return lease(std::move(*opened), clock_.steady_now());
}

SqlLease SqlPool::lease(std::unique_ptr<SqlConnection> connection, SteadyTime opened) {
  used_.insert(connection.get());
  return {*this, std::move(connection), opened};
}

void SqlPool::open_gate() noexcept {
  gate_.reset();
  away_.reset();
  answered_at_ = clock_.steady_now();
}

void SqlPool::close_gate(Error error) {
  gate_ = std::move(error);
  freed_.notify_all();
}

void SqlPool::close_idle() {
  open_ -= idle_.size();
  idle_.clear();
}

void SqlPool::rights_are_back() {
  if (lacks_rights_) renew();
}

/// Those in use are closed when they are given back.
void SqlPool::renew() {
  close_idle();
  lacks_rights_ = false;
  renewed_at_ = clock_.steady_now();
}

void SqlPool::cut() {
  for (SqlConnection* connection : used_) connection->cut();
}

SqlLease SqlPool::take_idle() {
  while (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    if (is_good(*last.connection, last.opened)) {
      return lease(std::move(last.connection), last.opened);
    }
    --open_;
  }
  return {};
}

void SqlPool::give_back(std::unique_ptr<SqlConnection> connection, SteadyTime opened) {
  used_.erase(connection.get());
  if (connection->may_lack_rights() && opened >= renewed_at_) lacks_rights_ = true;
  if (idle_.size() < limits_.idle_max && is_good(*connection, opened)) {
    idle_.push_back({std::move(connection), opened});
  } else {
    connection.reset();
    --open_;
  }
  freed_.notify_one();
}

bool SqlPool::is_good(const SqlConnection& connection, SteadyTime opened) const noexcept {
  const bool is_young = clock_.steady_now() - opened < limits_.life_max && opened >= renewed_at_;
  return is_young && connection.is_usable();
}

}  // namespace concerto::persist
