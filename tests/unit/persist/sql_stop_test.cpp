#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "sql/sql_store.hpp"
#include "sql_lanes_fixture.hpp"

namespace concerto::persist {
namespace {

/// A connection whose deletions never end, and whose end takes longer than a stop's timer.
class SlowlyClosedConnection final : public LaneConnection {
 public:
  SlowlyClosedConnection(LaneScript& script, Executor executor)
      : LaneConnection(script), never_(std::move(executor)) {}
  ~SlowlyClosedConnection() override {
    if (is_deleting_) std::this_thread::sleep_for(std::chrono::milliseconds(150));
  }

  bool is_usable() const noexcept override { return !is_deleting_; }
  Async<std::chrono::nanoseconds> now() override { co_return std::chrono::nanoseconds(0); }
  Async<std::size_t> delete_finished(TransStatus, RowTime, std::size_t) override {
    is_deleting_ = true;
    begun_.store(true);
    begun_.notify_all();
    ignore_error(Result<bool>(co_await never_.wait()), "the stop ends it");
    co_return make_error(SqlErrc::not_now, "stopped");
  }

  static inline std::atomic<bool> begun_ = false;

 private:
  Notifier never_;
  bool is_deleting_ = false;
};

class SlowlyClosedConnector final : public SqlConnector {
 public:
  SlowlyClosedConnector(LaneScript& script, Executor executor)
      : script_(script), executor_(std::move(executor)) {}

  Async<std::unique_ptr<SqlConnection>> connect() override {
    co_return std::unique_ptr<SqlConnection>(
        std::make_unique<SlowlyClosedConnection>(script_, executor_));
  }
  std::string place() const override { return "here"; }

 private:
  LaneScript& script_;
  Executor executor_;
};

// With the fault the test does not end: the timer armed itself again, because it had expired before
// it was cancelled.
TEST(SqlStop, EndsAlthoughItsTimerExpiresWhileTheLastTaskEnds) {
  asio::io_context unused;
  LaneScript script{unused.get_executor()};
  LaneLog log;
  test::FakeClock clock;
  SqlStoreOptions options;
  options.node = lane_node;
  options.checks_tables = options.checks_zone = false;
  options.deletes_finished = true;
  options.retention.finished_expire = std::chrono::seconds(1);
  const auto make = [&](Executor executor) {
    return std::make_unique<SlowlyClosedConnector>(script, std::move(executor));
  };
  auto store = SqlStore::open(std::move(options), make, clock, log);
  ASSERT_TRUE(store) << store.error().detail;
  SlowlyClosedConnection::begun_.wait(false);
  *store = nullptr;
}

}  // namespace
}  // namespace concerto::persist
