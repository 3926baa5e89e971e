#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "sql/commit_lanes.hpp"

/// Lanes of group commits and their pool, on a scripted database.
namespace concerto::persist {

inline constexpr std::string_view lane_node = "cc-node";

class LaneLog final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view text) override { texts.emplace_back(text); }
  bool logs(LogLevel) const noexcept override { return true; }

  std::vector<std::string> texts;
};

/// What the database does.
struct LaneScript {
  explicit LaneScript(Executor executor) : may_end_backend(std::move(executor)) {}

  bool is_away = false;
  Error connect_fails = make_error(SqlErrc::not_now, "away");  ///< while it is away
  bool is_silent = false;  ///< a connection fails when the test goes on
  int connects = 0;
  int writes = 0;
  bool writes_succeed = false;
  bool writes_wait = false;  ///< until the test goes on
  Error write_fails = make_error(SqlErrc::answer_lost, "lost");
  std::function<void()> during_write = [] {};
  int cuts = 0;
  bool lacks_rights = false;
  Notifier may_end_backend;
  bool ends_backend = true;
  StoredTrans stored;
};

class LaneConnection : public SqlConnection {
 public:
  explicit LaneConnection(LaneScript& script) : script_(script) {}

  bool is_usable() const noexcept override { return true; }
  BackendId backend() const noexcept override { return {}; }
  bool may_lack_rights() const noexcept override { return script_.lacks_rights; }
  Async<> write(RowGroup& group) override {
    ++script_.writes;
    script_.during_write();
    if (script_.writes_wait) {
      ignore_error(Result<bool>(co_await script_.may_end_backend.wait()), "the test goes on");
    }
    if (script_.writes_succeed) {
      for (UpdateRows* update : group.updates) update->is_made = true;
      co_return ok();
    }
    co_return script_.write_fails;
  }
  void cut() noexcept override { ++script_.cuts; }
  Async<> end_backend(BackendId) override {
    ignore_error(Result<bool>(co_await script_.may_end_backend.wait()), "the test goes on");
    if (!script_.ends_backend) co_return make_error(SqlErrc::not_now, "away");
    co_return ok();
  }
  Async<std::vector<StoredTrans>> load(std::vector<std::string>) override {
    co_return std::vector<StoredTrans>(1, script_.stored);
  }

  Async<std::chrono::nanoseconds> now() override { return unused<std::chrono::nanoseconds>(); }
  Async<> check_write() override { return unused<void>(); }
  Async<std::vector<StoredTrans>> claim(std::vector<ClaimRow>) override { return no_rows(); }
  Async<std::vector<StoredTrans>> claim_due(std::size_t) override { return no_rows(); }
  Async<std::vector<std::string>> renew(std::vector<std::string>) override {
    return unused<std::vector<std::string>>();
  }
  Async<> let_go(std::string, RowTime) override { return unused<void>(); }
  Async<std::vector<std::string>> resting(std::chrono::seconds, RowTime, std::size_t) override {
    return unused<std::vector<std::string>>();
  }
  Async<BacklogRows> backlog(std::size_t) override { return unused<BacklogRows>(); }
  Async<std::vector<StoredTrans>> scan_unfinished(std::int64_t, std::size_t) override {
    return no_rows();
  }
  Async<std::vector<StoredTrans>> list(ListRows) override { return no_rows(); }
  Async<std::vector<KvRow>> find_kv(std::string, std::string, std::string, std::size_t) override {
    return unused<std::vector<KvRow>>();
  }
  Async<bool> create_kv(KvRow) override { return unused<bool>(); }
  Async<bool> update_kv(KvRow) override { return unused<bool>(); }
  Async<bool> delete_kv(std::string, std::string) override { return unused<bool>(); }
  Async<std::size_t> delete_finished(TransStatus, RowTime, std::size_t) override {
    return unused<std::size_t>();
  }
  Async<SchemaCheck> check_schema() override { return unused<SchemaCheck>(); }
  Async<> create_schema() override { return unused<void>(); }
  Async<> drop_schema() override { return unused<void>(); }

 private:
  template <class T>
  static Async<T> unused() {
    co_return make_error(SqlErrc::refused, "the test does not expect it");
  }
  static Async<std::vector<StoredTrans>> no_rows() { return unused<std::vector<StoredTrans>>(); }

  LaneScript& script_;
};

class LaneConnector final : public SqlConnector {
 public:
  explicit LaneConnector(LaneScript& script) : script_(script) {}

  Async<std::unique_ptr<SqlConnection>> connect() override {
    ++script_.connects;
    if (script_.is_silent) {
      ignore_error(Result<bool>(co_await script_.may_end_backend.wait()), "the test goes on");
      co_return make_error(SqlErrc::not_now, "no connection in time");
    }
    if (script_.is_away) co_return script_.connect_fails;
    co_return std::unique_ptr<SqlConnection>(std::make_unique<LaneConnection>(script_));
  }
  std::string place() const override { return "here"; }

 private:
  LaneScript& script_;
};

/// A change of gid "g", which is submitted.
template <class Request>
void fill(Request& request) {
  UpdateRows update;
  update.gid = request.gid = "g";
  update.expected = TransStatus::submitted;
  update.update_time = 7;
  request.rows = std::move(update);
}

class SqlLanes : public testing::Test {
 protected:
  SqlLanes() {
    // The lanes' timers are the system's: no time of this clock comes for them.
    clock_.advance(std::chrono::years{100});
    TransRow& row = script_.stored.row;
    row.gid = "g";
    row.status = "submitted";
    row.owner = lane_node;
    row.update_time = 6;
    lanes_.start();
    run();
  }
  ~SqlLanes() override {
    asio::co_spawn(io_, lanes_.stop(), [](auto) {});
    run();
    go_on();
  }

  void commit_durable() {
    fill(request_);
    asio::co_spawn(io_, lanes_.commit(request_, io_.get_executor()),
                   [this](auto, const Result<>& done) { committed_ = done; });
    run();
  }
  void commit_other() {
    fill(other_);
    other_.gid = "h";
    asio::co_spawn(io_, lanes_.commit(other_, io_.get_executor()),
                   [this](auto, const Result<>& done) { other_committed_ = done; });
    run();
  }
  void fall_silent() {
    pool_.close_gate(make_error(EngineErrc::store_busy, "silent"));
    lanes_.answer_waiting(make_error(EngineErrc::store_busy, "silent"));
    run();
  }
  void commit_progress() {
    auto request = std::make_unique<RowRequest>();
    fill(*request);
    request->durability = Durability::progress;
    ASSERT_TRUE(lanes_.commit_progress(std::move(request)));
    run();
  }
  void settle(const std::string& gid = "g") {
    asio::co_spawn(io_, lanes_.settle(gid),
                   [this](auto, const Result<>& done) { settled_ = done; });
    run();
  }
  void settle_all() {
    asio::co_spawn(io_, lanes_.settle_all(),
                   [this](auto, const Result<>& done) { settled_ = done; });
    run();
  }
  /// Lets the settling read of a lost answer go on.
  void go_on() {
    script_.may_end_backend.notify_all();
    run();
  }
  SqlLease take() {
    SqlLease taken;
    asio::co_spawn(io_, pool_.acquire(),
                   [&taken](auto, Result<SqlLease> lease) { taken = std::move(lease).value(); });
    run();
    return taken;
  }
  void run() {
    io_.restart();
    io_.poll();
  }

  static SqlPool::Limits pool_limits() {
    SqlPool::Limits limits;
    limits.retry_after = std::chrono::hours{1};
    limits.open_max = 2;
    return limits;
  }
  static CommitLanes::Limits lane_limits() {
    CommitLanes::Limits limits;
    limits.progress_delay_max = {};
    limits.retry_after = std::chrono::hours{1};
    return limits;
  }

  asio::io_context io_{1};
  test::FakeClock clock_;
  LaneLog log_;
  StoreProbe probe_;
  SqlWatch watch_{"here", clock_, log_};
  LaneScript script_{io_.get_executor()};
  LaneConnector connector_{script_};
  std::vector<bool> tries_;  ///< whether connections were made
  SqlPool pool_{io_.get_executor(), connector_, pool_limits(), clock_,
                [this](const Result<>& tried) { tries_.push_back(tried.has_value()); }};
  RowRequest request_, other_;
  std::optional<Result<>> committed_, other_committed_, settled_;
  CommitLanes lanes_{io_.get_executor(),
                     pool_,
                     lane_limits(),
                     std::string(lane_node),
                     clock_,
                     log_,
                     probe_,
                     watch_};
};

}  // namespace concerto::persist
