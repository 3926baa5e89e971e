#include <list>
#include <stdexcept>

#include <gmock/gmock.h>

#include "postgres_store_fixture.hpp"

/// What a PostgreSQL server does to a store: it ends sessions, rolls back, has no connection left,
/// takes no writes, is slow, or does not answer.
namespace concerto::test {
namespace {

using std::chrono::seconds;

class PostgresServer : public PostgresStore {
 protected:
  /// Each of the next `times` insertions of a transaction fails with this SQLSTATE.
  void fail_insertions(const std::string& sqlstate, int times) {
    postgres_.sql(
        "CREATE SEQUENCE faults; CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN IF nextval('" +
        postgres_.settings().database.schema + ".faults') <= " + std::to_string(times) +
        " THEN RAISE EXCEPTION 'a fault' USING ERRCODE = '" + sqlstate +
        "'; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER fault BEFORE INSERT ON trans_global FOR EACH ROW EXECUTE FUNCTION fault()");
  }
  /// Ends the sessions of all stores, as a restart of the server does.
  void end_sessions() {
    postgres_.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name LIKE 'concerto cc-%'");
  }
  /// Commits on the store without waiting. The result is in `done`.
  void begin_commit(Change change) {
    asio::co_spawn(io_, commit_later(store(), std::move(change)),
                   [this](auto, const Result<>& result) { done_ = result; });
    io_.restart();
    io_.poll();
  }
  const Result<>& end_commit() {
    const auto work = asio::make_work_guard(io_);
    io_.restart();
    while (!done_) io_.run_one();
    return *done_;
  }

  std::optional<Result<>> done_;
};

struct RolledBack : PostgresServer, testing::WithParamInterface<const char*> {};

TEST_P(RolledBack, AGroupIsTriedAgain) {
  fail_insertions(GetParam(), 2);
  EXPECT_EQ(commit(create(sample_saga("g"))), error_code{});
  EXPECT_EQ(cell("SELECT count(*) FROM trans_branch_op"), "4");
}

TEST_P(RolledBack, AGroupThatIsRolledBackEachTimeIsBusy) {
  fail_insertions(GetParam(), 100);
  EXPECT_EQ(commit(create(sample_saga("g"))), EngineErrc::store_busy);
  EXPECT_EQ(load("g"), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(SqlState, RolledBack, testing::Values("40P01", "40001", "55P03", "57014"),
                         [](const auto& state) { return std::string(state.param); });

TEST_F(PostgresServer, ARestartFailsNoRequest) {
  for (int i = 0; i < 10; ++i) {
    const std::string gid = "g" + std::to_string(i);
    EXPECT_EQ(commit(create(sample_saga(gid))), error_code{});
    end_sessions();
    EXPECT_TRUE(load(gid));
  }
}

TEST_F(PostgresServer, AServerWithoutWritesIsLeftAndComesBack) {
  // As after a failover: the sessions go on, and the server refuses to write.
  const auto set_read_only = [this](const std::string& value) {
    postgres_.sql("ALTER SYSTEM SET default_transaction_read_only = " + value);
    postgres_.sql("SELECT pg_reload_conf()");
  };
  ASSERT_EQ(commit(create(sample_saga("g1"))), error_code{});
  set_read_only("on");
  EXPECT_TRUE(
      comes_true([&] { return commit(create(sample_saga("g2"))) == EngineErrc::store_busy; }));
  EXPECT_TRUE(gets(StoreHealth::State::recovering));
  postgres_.sql("SET default_transaction_read_only = off");
  set_read_only("off");
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_EQ(commit(create(sample_saga("g3"))), error_code{});
}

TEST_F(PostgresServer, TheConnectionsThatAStoreHasServeAllWhenThereIsNoOther) {
  const std::string& schema = postgres_.settings().database.schema;
  postgres_.sql("DROP ROLE IF EXISTS few; CREATE ROLE few LOGIN CONNECTION LIMIT 2");
  postgres_.sql("GRANT USAGE ON SCHEMA " + schema + " TO few; GRANT ALL ON ALL TABLES IN SCHEMA " +
                schema + " TO few; GRANT ALL ON ALL SEQUENCES IN SCHEMA " + schema + " TO few");
  persist::StoreSettings settings = postgres_.settings();
  settings.database.user = "few";
  auto few = postgres_.open(settings);
  std::vector<Transaction> sagas;
  for (int i = 0; i < 40; ++i) sagas.push_back(sample_saga("g" + std::to_string(i)));
  const ListFilter all;
  std::vector<error_code> outcomes;
  const auto work = asio::make_work_guard(io_);
  for (const Transaction& saga : sagas) {
    asio::co_spawn(io_, commit_later(*few, create(saga)), [&](auto, const Result<>& done) {
      outcomes.push_back(done ? error_code{} : done.error().code);
    });
    asio::co_spawn(io_, few->load(saga.gid), [&](auto, const auto& found) {
      outcomes.push_back(found ? error_code{} : found.error().code);
    });
    asio::co_spawn(io_, few->ownership()->claim(saga.gid, Claim::if_free),
                   [&](auto, const auto& claimed) {
                     outcomes.push_back(claimed ? error_code{} : claimed.error().code);
                   });
    asio::co_spawn(io_, few->list(all, "", 10), [&](auto, const auto& page) {
      outcomes.push_back(page ? error_code{} : page.error().code);
    });
  }
  io_.restart();
  while (outcomes.size() < 4 * sagas.size()) io_.run_one();
  EXPECT_THAT(outcomes, testing::Each(error_code{}));
  few.reset();
  postgres_.sql("DROP OWNED BY few; DROP ROLE few");
}

TEST_F(PostgresServer, ASuperuserServesAllWhenTheServerHasNoConnectionLeft) {
  ASSERT_EQ(commit(create(sample_saga("g"))), error_code{});
  std::list<PostgresClient> others;
  constexpr std::size_t far_too_many = 1'000;
  try {
    while (others.size() < far_too_many) others.emplace_back();
  } catch (const std::runtime_error&) {  // There is no connection left.
  }
  ASSERT_LT(others.size(), far_too_many);
  std::vector<error_code> outcomes;
  const auto work = asio::make_work_guard(io_);
  const ListFilter all;
  for (int i = 0; i < 8; ++i) {
    asio::co_spawn(io_, store().list(all, "", 10), [&](auto, const auto& page) {
      outcomes.push_back(page ? error_code{} : page.error().code);
    });
  }
  io_.restart();
  while (outcomes.size() < 8) io_.run_one();
  EXPECT_THAT(outcomes, testing::Each(error_code{}));
}

TEST_F(PostgresServer, ASlowStatementHoldsUpNothingElse) {
  ASSERT_EQ(commit(create(sample_saga("old"))), error_code{});
  postgres_.sql(
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
      " $$ BEGIN PERFORM pg_sleep(2); RETURN NEW; END $$;"
      "CREATE TRIGGER slow BEFORE INSERT ON trans_global FOR EACH ROW EXECUTE FUNCTION slow()");
  begin_commit(create(sample_saga("g")));
  EXPECT_TRUE(load("old"));
  EXPECT_TRUE(wait(ownership().claim(Gid{"old"}, Claim::if_free))->is_ours);
  EXPECT_FALSE(done_) << "the statement takes two seconds";
  EXPECT_TRUE(end_commit()) << done_->error().detail;
}

TEST_F(PostgresServer, AConnectionWithoutAnAnswerIsGivenUpAndItsGroupIsMadeOnceOrNotAtAll) {
  ASSERT_EQ(commit(create(sample_saga("old"))), error_code{});
  postgres_.proxy().hold(true);
  begin_commit(create(sample_saga("g")));
  // A statement has ten seconds for its answer.
  EXPECT_TRUE(gets(StoreHealth::State::recovering) || gets(StoreHealth::State::recovering));
  postgres_.proxy().hold(false);
  const Result<>& done = end_commit();
  EXPECT_TRUE(done || done.error().code == EngineErrc::store_busy) << done.error().detail;
  EXPECT_TRUE(gets(StoreHealth::State::serving));
  EXPECT_EQ(load("g").has_value(), static_cast<bool>(done));
}

}  // namespace
}  // namespace concerto::test
