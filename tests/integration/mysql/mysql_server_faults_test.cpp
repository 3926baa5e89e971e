// What a server does to a store: it does not answer, gives locks to others for too long, takes no
// writes, or crashes.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

#include "mysql/mysql_connector.hpp"
#include "mysql_faults_fixture.hpp"
#include "silent_mysql_server.hpp"

namespace concerto::test {
namespace {

using persist::MysqlOptions;

class MysqlServerFaults : public MysqlFaults {
 protected:
  error_code commit_on(Store& store, Change change) {
    const Result<> done = wait(store.commit(std::move(change)));
    return done ? error_code{} : done.error().code;
  }
  bool exists(const std::string& gid) {
    return one("SELECT COUNT(*) FROM trans_global WHERE gid = '" + gid + "'") == "1";
  }
  bool reconnects() {
    try {
      under_test_.reconnect();
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  /// As a crash of the server. The script that has started the server starts it again.
  void kill_server() {
    const auto names = under_test_.sql("SELECT @@datadir, @@pid_file").at(0);
    std::ifstream file(std::filesystem::path(names.at(0)) / names.at(1));
    pid_t server = 0;
    file >> server;
    ASSERT_GT(server, 1);
    ASSERT_EQ(::kill(server, SIGKILL), 0);
  }
};

TEST_F(MysqlServerFaults, AHalfOpenConnectionIsGivenUpAndItsGroupIsMadeOnceOrNotAtAll) {
  const auto impatient = open_with([](MysqlOptions& mysql) {
    mysql.time_limits.connect = std::chrono::seconds(1);
    mysql.time_limits.answer = std::chrono::milliseconds(500);
  });
  ASSERT_EQ(commit_on(*impatient, create(sample_saga("g"))), error_code{});
  LossyProxy& proxy = under_test_.proxy();
  const std::size_t before = proxy.accepted();
  proxy.hold(true);
  const Transaction saga = sample_saga("h");
  Running running;
  std::vector<Change> changes;
  changes.push_back(create(saga));
  start(*impatient, running, std::move(changes));
  // The store looks on another connection what became of its group.
  EXPECT_TRUE(comes_true([&] { return proxy.accepted() > before; }));
  proxy.hold(false);
  EXPECT_TRUE(comes_true([&running] { return running.have_ended(); }));
  const error_code code = running.codes[0].value();
  EXPECT_TRUE(code == error_code{} || code == EngineErrc::store_busy) << code;
  EXPECT_EQ(exists("h"), code == error_code{});
  EXPECT_TRUE(comes_true([&] { return impatient->health().state == StoreHealth::State::serving; }));
  EXPECT_EQ(commit_on(*impatient, create(sample_saga("i"))), error_code{});
}

TEST_F(MysqlServerFaults, ALockThatIsNotFreeInTimeIsTriedAgain) {
  const auto impatient =
      open_with([](MysqlOptions& mysql) { mysql.time_limits.lock = std::chrono::seconds(1); });
  ASSERT_EQ(commit_on(*impatient, create(sample_saga("g"))), error_code{});
  MysqlClient other;
  other.sql("USE " + under_test_.settings().database.database);
  other.sql("BEGIN");
  other.sql("SELECT gid FROM trans_global WHERE gid = 'g' FOR UPDATE");
  const auto waits = [this] { return std::stoi(counter("Innodb_row_lock_waits")); };
  const int before = waits();
  Running running;
  std::vector<Change> changes;
  changes.push_back(update("g", TransStatus::submitted, outcome(1, BranchStatus::succeed, 5)));
  start(*impatient, running, std::move(changes));
  // The second one begins when the first one has ended in error 1205.
  EXPECT_TRUE(comes_true([&] { return waits() >= before + 2; }));
  EXPECT_FALSE(running.have_ended());
  other.sql("ROLLBACK");
  expect_all_made(running);
  EXPECT_EQ(one("SELECT COUNT(*) FROM trans_branch_op WHERE status = 'succeed'"), "1");
}

TEST_F(MysqlServerFaults, RefusesForTheMomentWhileTransactionsAreReadOnly) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  under_test_.sql("SET GLOBAL tx_read_only = 1");
  end_sessions();
  const error_code refused = commit(create(sample_saga("h")));
  under_test_.sql("SET GLOBAL tx_read_only = 0");
  EXPECT_EQ(refused, EngineErrc::store_busy);
  // Connections that were opened meanwhile refuse once more each.
  EXPECT_TRUE(comes_true([this] { return commit(create(sample_saga("h"))) == error_code{}; }));
}

TEST_F(MysqlServerFaults, WhatWasAcknowledgedBeforeTheServerCrashedIsThereAfterwards) {
  std::vector<Transaction> all;
  for (int i = 0; i < 40; ++i) all.push_back(sample_saga("g" + std::to_string(i)));
  ASSERT_EQ(commit(create(all.front())), error_code{});
  Running running;
  std::vector<Change> changes;
  for (std::size_t i = 1; i < all.size(); ++i) changes.push_back(create(all[i]));
  start(running, std::move(changes));
  io_.restart();
  io_.poll();
  kill_server();
  const auto have_ended = [&running] { return running.have_ended(); };
  ASSERT_TRUE(comes_true(have_ended) || comes_true(have_ended));
  const auto is_back = [this] { return reconnects(); };
  ASSERT_TRUE(comes_true(is_back) || comes_true(is_back));
  EXPECT_TRUE(exists("g0"));
  for (std::size_t i = 1; i < all.size(); ++i) {
    const error_code code = *running.codes[i - 1];
    EXPECT_TRUE(code == error_code{} || code == EngineErrc::store_busy) << code;
    EXPECT_EQ(exists(all[i].gid.str()), code == error_code{}) << i;
  }
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_EQ(commit(create(sample_saga("after"))), error_code{});
}

/// A server that says nothing, or nothing more once the client has asked for TLS.
class MysqlSilence : public testing::TestWithParam<bool> {
 protected:
  asio::io_context io_{1};
  SilentMysqlServer server_;
};

INSTANTIATE_TEST_SUITE_P(InTls, MysqlSilence, testing::Bool());

TEST_P(MysqlSilence, AConnectionThatIsNotOpenInTimeIsGivenUp) {
  MysqlOptions options;
  options.hosts = {"127.0.0.1"};
  options.port = server_.port();
  options.user = "root";
  options.tls = persist::MysqlTls::require;
  options.time_limits.connect = std::chrono::seconds(1);
  persist::MysqlConnector connector(io_.get_executor(), options);
  std::optional<Error> error;
  asio::co_spawn(io_, connector.connect(), [&error](const std::exception_ptr&, const auto& opened) {
    error = opened ? Error{} : opened.error();
  });
  io_.poll();
  EXPECT_FALSE(error) << "the store's thread goes on meanwhile";
  server_.accept();
  if (GetParam()) server_.greet();
  const auto work = asio::make_work_guard(io_);
  io_.restart();
  while (!error) io_.run_one();
  EXPECT_EQ(error->code, persist::SqlErrc::not_now) << error->detail;
  constexpr std::string_view begin_of_tls = "\x16\x03";
  EXPECT_EQ(server_.received().find(begin_of_tls) != std::string::npos, GetParam());
}

}  // namespace
}  // namespace concerto::test
