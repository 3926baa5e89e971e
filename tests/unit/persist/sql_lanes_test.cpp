#include <functional>

#include <gtest/gtest.h>

#include "await_result.hpp"
#include "fake_clock.hpp"
#include "sql/commit_lanes.hpp"

/// What a group commit answers while its database is away, or has not answered.
namespace concerto::test {
namespace {

using namespace persist;
using namespace std::chrono_literals;
using std::chrono::hours;

constexpr std::string_view lane_node = "cc-node";

class Lines final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view text) override { texts.emplace_back(text); }
  bool logs(LogLevel) const noexcept override { return true; }

  std::vector<std::string> texts;
};

/// What the database does.
struct Script {
  explicit Script(Executor executor) : may_end_backend(std::move(executor)) {}

  bool is_away = false;
  bool is_silent = false;  ///< a connection fails when the test goes on
  int connects = 0;
  int writes = 0;
  Error write_fails = make_error(SqlErrc::answer_lost, "lost");
  std::function<void()> during_write = [] {};
  int cuts = 0;
  bool lacks_rights = false;
  Notifier may_end_backend;
  bool ends_backend = true;
  StoredTrans stored;
};

class ScriptedConnection final : public SqlConnection {
 public:
  explicit ScriptedConnection(Script& script) : script_(script) {}

  bool is_usable() const noexcept override { return true; }
  BackendId backend() const noexcept override { return {}; }
  bool may_lack_rights() const noexcept override { return script_.lacks_rights; }
  Async<> write(RowGroup&) override {
    ++script_.writes;
    script_.during_write();
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
  Async<ResetDue> reset_due(std::chrono::seconds, std::size_t) override {
    return unused<ResetDue>();
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

  Script& script_;
};

class ScriptedConnector final : public SqlConnector {
 public:
  explicit ScriptedConnector(Script& script) : script_(script) {}

  Async<std::unique_ptr<SqlConnection>> connect() override {
    ++script_.connects;
    if (script_.is_silent) {
      ignore_error(Result<bool>(co_await script_.may_end_backend.wait()), "the test goes on");
      co_return make_error(SqlErrc::not_now, "no connection in time");
    }
    if (script_.is_away) co_return make_error(SqlErrc::not_now, "away");
    co_return std::unique_ptr<SqlConnection>(std::make_unique<ScriptedConnection>(script_));
  }
  std::string place() const override { return "here"; }

 private:
  Script& script_;
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
  void settle() {
    asio::co_spawn(io_, lanes_.settle("g"),
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
    limits.retry_after = hours{1};
    limits.open_max = 2;
    return limits;
  }
  static CommitLanes::Limits lane_limits() {
    CommitLanes::Limits limits;
    limits.progress_delay_max = {};
    limits.retry_after = hours{1};
    return limits;
  }

  asio::io_context io_{1};
  FakeClock clock_;
  Lines log_;
  StoreProbe probe_;
  SqlWatch watch_{"here", clock_, log_};
  Script script_{io_.get_executor()};
  ScriptedConnector connector_{script_};
  SqlPool pool_{io_.get_executor(), connector_, pool_limits(), clock_};
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

TEST_F(SqlLanes, AReadDoesNotWaitForProgressOfADatabaseThatIsAway) {
  script_.is_away = true;
  commit_progress();
  ASSERT_EQ(script_.connects, 1);
  settle();
  ASSERT_TRUE(settled_) << "the lane tries again and again";
  EXPECT_EQ(settled_->error().code, EngineErrc::store_busy);
  EXPECT_EQ(script_.connects, 1);
}

TEST_F(SqlLanes, AChangeDoesNotWaitForAnotherOneIfTheDatabaseIsAway) {
  commit_durable();
  script_.is_away = true;
  asio::co_spawn(io_, pool_.acquire(), [](auto, const Result<SqlLease>&) {});
  run();
  ASSERT_TRUE(pool_.away());
  commit_other();
  ASSERT_TRUE(other_committed_);
  EXPECT_EQ(other_committed_->error().code, EngineErrc::store_busy);
  EXPECT_FALSE(committed_);
}

TEST_F(SqlLanes, AReadFailsWhileTheOutcomeOfAChangeIsNotKnown) {
  commit_durable();
  settle();
  EXPECT_FALSE(settled_);
  script_.ends_backend = false;
  go_on();
  ASSERT_TRUE(settled_);
  EXPECT_EQ(settled_->error().code, EngineErrc::store_busy);
  EXPECT_FALSE(committed_);
}

TEST_F(SqlLanes, AChangeWhoseAnswerWasLostIsMadeIfTheRowShowsIt) {
  commit_durable();
  script_.stored.row.update_time = 7;
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_TRUE(*committed_) << committed_->error().detail;
}

TEST_F(SqlLanes, AChangeThatTheRowDoesNotShowWasNotMade) {
  commit_durable();
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::store_busy);
  EXPECT_EQ(script_.writes, 1);
}

TEST_F(SqlLanes, AChangeWhoseAnswerWasLostLosesTheLeaseIfAnotherNodeHasTheRow) {
  commit_durable();
  script_.stored.row.owner = "cc-other";
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::lease_lost);
}

TEST_F(SqlLanes, ARefusalOfTheDatabaseIsToldOnceAndCounted) {
  script_.write_fails = make_error(SqlErrc::wrong_schema, "permission denied (42501)");
  commit_durable();
  commit_other();
  ASSERT_TRUE(committed_ && other_committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::store_busy);
  EXPECT_EQ(log_.texts,
            std::vector<std::string>{"the database refuses changes: permission denied (42501)"});
  EXPECT_EQ(watch_.health().state, StoreHealth::State::recovering);
  EXPECT_EQ(watch_.failed_changes(), 2U);
}

TEST_F(SqlLanes, AGroupIsTriedAgainAtOnceOnlyForAShortTime) {
  script_.write_fails = make_error(SqlErrc::rolled_back, "deadlock");
  commit_durable();
  EXPECT_EQ(script_.writes, 4);
  script_.during_write = [this] { clock_.advance(std::chrono::seconds{5}); };
  commit_other();
  ASSERT_TRUE(other_committed_);
  EXPECT_EQ(script_.writes, 5);
}

TEST_F(SqlLanes, NobodyWaitsForADatabaseThatIsSilent) {
  commit_durable();
  commit_other();  // behind it
  EXPECT_FALSE(other_committed_);
  fall_silent();
  ASSERT_TRUE(other_committed_);
  EXPECT_EQ(other_committed_->error().code, EngineErrc::store_busy);
  settle();
  ASSERT_TRUE(settled_);
  EXPECT_EQ(settled_->error().code, EngineErrc::store_busy);
  EXPECT_FALSE(committed_) << "its outcome is not known";
}

TEST_F(SqlLanes, AfterOneSessionLackedARightAllAreNew) {
  SqlLease refused = take(), idle = take();
  idle.reset();
  script_.lacks_rights = true;
  refused.reset();
  script_.lacks_rights = false;
  SqlLease first = take();
  EXPECT_EQ(pool_.open(), 1U);
  SqlLease second = take();
  EXPECT_EQ(script_.connects, 4);
}

TEST_F(SqlLanes, ASessionInUseWhileAnotherOneLackedARightIsClosedAfterIt) {
  SqlLease refused = take(), busy = take();
  script_.lacks_rights = true;
  refused.reset();
  script_.lacks_rights = false;
  clock_.advance(1ns);
  SqlLease fresh = take();
  busy.reset();
  EXPECT_EQ(pool_.open(), 1U);
  fresh.reset();
  fresh = take();
  EXPECT_EQ(script_.connects, 3);
}

TEST_F(SqlLanes, WhileARightIsLackingSessionsAreNewOnlyNowAndThen) {
  script_.lacks_rights = true;
  for (int i = 0; i < 100; ++i) {
    take();
    clock_.advance(10ms);
  }
  EXPECT_EQ(script_.connects, 3);
}

TEST_F(SqlLanes, OnceACheckHasFoundTheRightsTheOtherSessionsAreClosed) {
  script_.lacks_rights = true;
  take();
  take();
  ASSERT_EQ(script_.connects, 2);
  script_.lacks_rights = false;
  clock_.advance(1ns);
  pool_.rights_are_back();
  EXPECT_EQ(pool_.open(), 0U);
}

TEST_F(SqlLanes, WhoWaitsForAConnectionIsToldThatTheDatabaseIsSilent) {
  std::vector<SqlLease> taken;
  std::optional<Error> answered;
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(io_, pool_.acquire(), [&](auto, Result<SqlLease> lease) {
      if (lease) {
        taken.push_back(std::move(*lease));
      } else {
        answered = lease.error();
      }
    });
  }
  run();
  ASSERT_TRUE(taken.size() == 2 && !answered);
  fall_silent();
  ASSERT_TRUE(answered);
  EXPECT_EQ(answered->detail, "silent");
  pool_.cut();
  EXPECT_EQ(script_.cuts, 2);
}

TEST_F(SqlLanes, AConnectionThatFailsLateDoesNotHideThatTheDatabaseAnswers) {
  script_.is_silent = true;
  bool acquired = false;
  asio::co_spawn(io_, pool_.acquire(),
                 [&](auto, const Result<SqlLease>& lease) { acquired = lease.has_value(); });
  run();
  script_.is_silent = false;
  clock_.advance(std::chrono::seconds{3});
  pool_.open_gate();
  go_on();
  EXPECT_TRUE(acquired);
  EXPECT_FALSE(pool_.away());
}

TEST_F(SqlLanes, WhoLooksForTheDatabasePassesTheGate) {
  fall_silent();
  bool passed = false;
  asio::co_spawn(io_, pool_.acquire(SqlPool::Gate::passed),
                 [&](auto, const Result<SqlLease>& lease) { passed = lease.has_value(); });
  run();
  EXPECT_TRUE(passed);
}

TEST_F(SqlLanes, AStopGivesUpALostAnswerOfASilentDatabase) {
  commit_durable();
  fall_silent();
  script_.ends_backend = false;
  lanes_.give_up();
  go_on();
  ASSERT_TRUE(committed_);
  EXPECT_EQ(committed_->error().code, EngineErrc::store_failed);
}

}  // namespace
}  // namespace concerto::test
