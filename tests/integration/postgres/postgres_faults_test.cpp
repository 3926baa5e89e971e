#include <atomic>

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "postgres_store_fixture.hpp"

namespace concerto::test {

using testing::HasSubstr;

TEST_F(PostgresStore, RefusesForTheMomentWhileItsDatabaseIsAwayAndServesWhenItIsBack) {
  const Transaction first = sample_saga("g1"), second = sample_saga("g2");
  ASSERT_EQ(commit(create(first)), error_code{});
  postgres_.proxy().refuse(true);
  EXPECT_TRUE(gets(StoreHealth::State::recovering));
  EXPECT_EQ(commit(create(second)), EngineErrc::store_busy);
  EXPECT_EQ(wait(store().load(Gid{"g1"})).error().code, EngineErrc::store_busy);
  EXPECT_EQ(commit(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1),
                          Durability::progress)),
            EngineErrc::store_busy)
      << "the rows cannot be read first";
  postgres_.proxy().refuse(false);
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_EQ(commit(create(second)), error_code{});
  EXPECT_EQ(load("g1")->branches.size(), 4U);
}

TEST_F(PostgresStore, AChangeThatNoStandbyHasIsNotAcknowledged) {
  const auto set_standbys = [this](const std::string& names) {
    postgres_.sql("SET synchronous_commit = off");
    postgres_.sql("ALTER SYSTEM SET synchronous_standby_names = '" + names + "'");
    postgres_.sql("SELECT pg_reload_conf()");
  };
  const Transaction saga = sample_saga("g1");
  set_standbys("nobody");
  EXPECT_TRUE(comes_true([this] { return cell("SHOW synchronous_standby_names") == "nobody"; }));
  postgres_.sql("CHECKPOINT");  // Commits wait only when the checkpointer has read the setting.
  std::atomic<bool> has_come = false;
  std::thread standby_comes([&] {
    // After the store has ended the session whose commit hung.
    EXPECT_TRUE(comes_true(
        [this] { return cell("SELECT count(*) FROM trans_global WHERE gid = 'g1'") == "1"; }));
    std::this_thread::sleep_for(std::chrono::seconds(1));
    has_come = true;
    set_standbys("");
  });
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(commit(create(saga)), error_code{});
  EXPECT_TRUE(has_come) << "it waits for the standby";
  EXPECT_GT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(1));
  standby_comes.join();
}

TEST_F(PostgresStore, ProgressWaitsForADatabaseThatIsAway) {
  Transaction saga = sample_saga("g1");
  ASSERT_EQ(commit(create(saga)), error_code{});
  postgres_.proxy().refuse(true);
  EXPECT_TRUE(gets(StoreHealth::State::recovering));
  UpdateTrans progress;
  progress.gid = saga.gid;
  progress.expected = TransStatus::submitted;
  progress.delta = outcome(1, BranchStatus::succeed, 1);
  progress.known = &saga;
  Change change;
  change.what = progress;
  change.durability = Durability::progress;
  ASSERT_EQ(commit(std::move(change)), error_code{});
  postgres_.proxy().refuse(false);
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_TRUE(
      comes_true([this] { return load("g1")->branches[1].status == BranchStatus::succeed; }));
}

TEST_F(PostgresStore, ReadsAgainWhatBecameOfAGroupWhoseAnswerWasLost) {
  const Transaction saga = sample_saga("g1");
  ASSERT_TRUE(postgres_.lose_next_answer());
  EXPECT_EQ(commit(create(saga)), error_code{});
  ASSERT_TRUE(postgres_.lose_next_answer());
  EXPECT_EQ(commit(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1))),
            error_code{});
  EXPECT_EQ(load("g1")->branches[1].status, BranchStatus::succeed);
}

TEST_F(PostgresStore, AChangeThatTheDatabaseRefusesFailsAlone) {
  postgres_.sql(
      "INSERT INTO trans_branch_op (gid, url, branch_id, op, status)"
      " VALUES ('g7', '', '01', 'action', 'prepared')");
  std::vector<Transaction> all;
  for (int i = 0; i < 20; ++i) all.push_back(sample_saga("g" + std::to_string(i)));
  std::map<std::string, error_code> outcomes;
  const auto work = asio::make_work_guard(io_);
  for (const Transaction& trans : all) {
    asio::co_spawn(io_, commit_later(store(), create(trans)), [&](auto, const Result<>& done) {
      outcomes[trans.gid.str()] = done ? error_code{} : done.error().code;
    });
  }
  io_.restart();
  while (outcomes.size() < all.size()) io_.run_one();
  for (const auto& [gid, code] : outcomes) {
    EXPECT_EQ(code, gid == "g7" ? make_error_code(EngineErrc::branch_exists) : error_code{}) << gid;
  }
  EXPECT_EQ(cell("SELECT count(*) FROM trans_global"), "19");
}

TEST_F(PostgresStore, NamesTheColumnsThatOldTablesLack) {
  postgres_.sql("ALTER TABLE trans_global DROP COLUMN ext_data, DROP COLUMN result");
  const auto opened = postgres_.try_open(postgres_.settings());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EngineErrc::store_unavailable);
  EXPECT_THAT(opened.error().detail, HasSubstr("trans_global.ext_data, trans_global.result"));
}

TEST_F(PostgresStore, AColumnMayBecomeWiderWhileTheStoreIsOpen) {
  ASSERT_EQ(commit(create(sample_saga("g1"))), error_code{});
  ASSERT_TRUE(load("g1"));
  postgres_.sql("ALTER TABLE trans_global ALTER options TYPE varchar(2048)");
  EXPECT_TRUE(load("g1"));
}

TEST_F(PostgresStore, AServerThatAcknowledgesNothingCountsAsGoneAfterFourSeconds) {
  ASSERT_EQ(commit(create(sample_saga("g1"))), error_code{});
  constexpr int files_max = 1'024;
  int sessions = 0;
  for (int file = 0; file < files_max; ++file) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    const bool is_session = ::getpeername(file, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
                            peer.sin_family == AF_INET &&
                            ntohs(peer.sin_port) == postgres_.proxy().port();
    if (!is_session) continue;
    unsigned timeout_ms = 0;
    size = sizeof timeout_ms;
    ASSERT_EQ(::getsockopt(file, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms, &size), 0);
    EXPECT_EQ(timeout_ms, 4'000U);
    ++sessions;
  }
  EXPECT_GT(sessions, 0);
}

TEST_F(PostgresStore, AResetLeavesEmptyTables) {
  ASSERT_EQ(commit(create(sample_saga("g1"))), error_code{});
  postgres_.sql("ALTER TABLE trans_global DROP COLUMN result");
  const auto kinds = persist::StoreKinds::standard();
  const Result<> dropped = kinds.find("postgres")->drop(postgres_.settings());
  ASSERT_TRUE(dropped) << dropped.error().detail;
  SystemTime clock;
  SilentLog log;
  const auto opened = kinds.open(postgres_.settings(), clock, log);  // makes the tables
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ(load("g1"), std::nullopt);
  EXPECT_EQ(commit(create(sample_saga("g1"))), error_code{});
}

TEST_F(PostgresStore, DeletesOldFinishedRowsIfItIsToldTo) {
  for (const char* gid : {"old", "new", "unfinished"}) {
    ASSERT_EQ(commit(create(sample_saga(gid))), error_code{});
  }
  for (const char* gid : {"old", "new"}) {
    ASSERT_EQ(commit(update(gid, TransStatus::submitted, new_status(TransStatus::succeed, 1))),
              error_code{});
  }
  postgres_.sql(
      "UPDATE trans_global SET next_cron_time = now() - interval '1 year';"
      "UPDATE trans_global SET finish_time = now() WHERE gid = 'new'");
  ASSERT_TRUE(postgres_.managed().maintain());
  EXPECT_EQ(cell("SELECT count(*) FROM trans_global"), "3");
  persist::StoreSettings settings = postgres_.settings();
  settings.database.deletes_finished = true;
  const auto deleting = postgres_.open(settings);
  // The store's own upkeep may hold the row, which this one then leaves to it.
  const auto left = [&] {
    EXPECT_TRUE(deleting->maintain());
    return cell("SELECT string_agg(gid, ' ' ORDER BY gid) FROM trans_global");
  };
  EXPECT_TRUE(comes_true([&] { return left() == "new unfinished"; })) << left();
  EXPECT_EQ(cell("SELECT count(*) FROM trans_branch_op"), "8");
}

// Protocol page 07, section 6.
TEST_F(PostgresStore, TakesOverWhatTheReferenceHasStored) {
  postgres_.sql(
      "INSERT INTO trans_global (gid, trans_type, status, query_prepared, protocol, create_time,"
      " update_time, options, custom_data, next_cron_interval, next_cron_time, owner, ext_data)"
      " VALUES ('g', 'tcc', 'submitted', '', 'http', now(), now(),"
      " '{\"wait_result\":true,\"concurrent\":false}', '', 10, now() - interval '1 second',"
      " 'UU4yPVVoCv45FJaCRigbGk', '');"
      "INSERT INTO trans_branch_op (gid, url, bin_data, branch_id, op, status, create_time)"
      " VALUES ('g', 'http://b/cancel', '{}', '01', 'cancel', 'prepared', now()),"
      " ('g', 'http://b/confirm', '{}', '01', 'confirm', 'prepared', now())");
  const auto claimed = wait(ownership().claim_due(10)).value();
  ASSERT_EQ(claimed.size(), 1U);
  const Transaction& trans = claimed.front();
  EXPECT_EQ(trans.type, TransType::tcc);
  EXPECT_TRUE(trans.options.wait_result);
  EXPECT_TRUE(trans.waits);
  ASSERT_EQ(trans.branches.size(), 2U);
  EXPECT_EQ(trans.branches[1].op, "confirm");
  EXPECT_EQ(trans.payloads, std::vector<std::string>{"{}"});
  TransDelta delta = outcome(1, BranchStatus::succeed, 1);
  delta.status = TransStatus::succeed;
  ASSERT_EQ(commit(update("g", TransStatus::submitted, delta)), error_code{});
  EXPECT_EQ(cell("SELECT status || ' ' || options FROM trans_global"),
            R"(succeed {"wait_result":true,"concurrent":false})");
  EXPECT_EQ(cell("SELECT string_agg(op || ' ' || status || ' ' || coalesce(data, 'null'), ','"
                 " ORDER BY id) FROM trans_branch_op"),
            "cancel prepared null,confirm succeed null");
}

TEST_F(PostgresStore, LeavesTheReferenceWhatItWorksOn) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  postgres_.sql("UPDATE trans_global SET owner = '', next_cron_time = now() + interval '9 s'");
  EXPECT_TRUE(wait(ownership().claim_due(10)).value().empty());
  EXPECT_FALSE(wait(ownership().claim(Gid{"g"}, Claim::if_free))->is_ours);
  EXPECT_TRUE(wait(ownership().claim(Gid{"g"}, Claim::always))->is_ours);
}

}  // namespace concerto::test
