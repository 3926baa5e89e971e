// Coordinators whose time zones differ (decision 0008).

#include <future>
#include <mutex>

#include <gmock/gmock.h>

#include "mysql_store_fixture.hpp"

namespace concerto::test {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

/// Keeps the lines of the log.
class KeptLog final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    text_.append(text) += '\n';
  }
  bool logs(LogLevel) const noexcept override { return true; }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }
  int count(const std::string& part) const {
    const std::string all = text();
    int found = 0;
    for (auto at = all.find(part); at != all.npos; at = all.find(part, at + 1)) ++found;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class MysqlZones : public MysqlStore {
 protected:
  using StorePtr = std::unique_ptr<persist::SqlStore>;

  MysqlZones() { under_test_.managed().close(); }

  /// A coordinator whose zone is so many hours east of UTC.
  Result<StorePtr> start(int hours, const std::string& user = "root") {
    persist::DatabaseSettings database = under_test_.settings().database;
    database.east_of_utc = std::chrono::hours(hours);
    database.user = user;
    persist::SqlStoreOptions options = persist::sql_options_of(under_test_.settings());
    options.zone_times = {std::chrono::milliseconds{200}, alive_for_};
    const auto make = [&](Executor executor) {
      persist::MysqlOptions mysql = persist::mysql_options_of(database, options);
      mysql.time_limits.lock = std::chrono::seconds(1);
      return std::make_unique<persist::MysqlConnector>(std::move(executor), std::move(mysql));
    };
    return persist::SqlStore::open(options, make, clock_, kept_log_);
  }
  /// The record of a coordinator that runs elsewhere.
  void add_record(const std::string& node, int id, std::chrono::seconds age) {
    under_test_.sql("INSERT INTO kv (id, cat, k, v) VALUES (" + std::to_string(id) +
                    ", 'concerto-time-zone', '" + node + "', CONCAT('28800 ', UNIX_TIMESTAMP() - " +
                    std::to_string(age.count()) + ", ' elsewhere'))");
  }
  std::string records() {
    return one(
        "SELECT COALESCE(GROUP_CONCAT(SUBSTRING_INDEX(v, ' ', 1)), '') FROM kv WHERE cat ="
        " 'concerto-time-zone'");
  }

  std::chrono::seconds alive_for_{15};
  KeptLog kept_log_;
};

TEST_F(MysqlZones, AStartBesideAnotherZoneIsRefusedUntilThatOneHasStopped) {
  EXPECT_EQ(records(), "");
  StorePtr first = start(5).value();
  EXPECT_EQ(records(), "18000");
  const std::string node = one("SELECT k FROM kv");
  const Result<StorePtr> refused = start(8);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EngineErrc::store_unavailable);
  EXPECT_THAT(refused.error().detail, AllOf(HasSubstr("+05:00"), HasSubstr("+08:00"),
                                            HasSubstr(node), HasSubstr("TimeZoneOffset")));
  EXPECT_THAT(kept_log_.text(), HasSubstr("the start waits: "));
  EXPECT_EQ(records(), "18000");
  StorePtr second = start(5).value();
  EXPECT_EQ(records(), "18000,18000");
  EXPECT_THAT(wait(second->find_kv("", "")).value(), IsEmpty());
  EXPECT_THAT(wait(second->scan_kv("", "", 10)).value().records, IsEmpty());
  first.reset();
  second.reset();
  const StorePtr later = start(8).value();
  EXPECT_EQ(records(), "28800");
  EXPECT_TRUE(wait(later->commit(create(sample_saga("g")))));
}

TEST_F(MysqlZones, OfTwoThatStartTogetherOneWorks) {
  std::vector<std::future<Result<StorePtr>>> starts;
  for (const int hours : {5, 8}) {
    starts.push_back(std::async(std::launch::async, [this, hours] { return start(hours); }));
  }
  std::vector<Result<StorePtr>> started;
  for (auto& each : starts) started.push_back(each.get());
  EXPECT_NE(started[0].has_value(), started[1].has_value());
  EXPECT_EQ(records(), started[0] ? "18000" : "28800");
}

TEST_F(MysqlZones, ARecordThatNobodyRenewsCountsForAWhile) {
  add_record("cc-long-ago", 100, std::chrono::hours(1));
  StorePtr first = start(5).value();
  EXPECT_EQ(records(), "18000");
  EXPECT_EQ(kept_log_.count("the start waits: "), 0);
  first.reset();
  alive_for_ = std::chrono::seconds(3);
  add_record("cc-just-now", 200, std::chrono::seconds(1));
  const StorePtr second = start(5).value();
  EXPECT_EQ(records(), "18000");
  EXPECT_EQ(kept_log_.count("the start waits: "), 1);
}

TEST_F(MysqlZones, OneThatWorksStopsBesideAnEarlierOneAndGoesOnWithoutIt) {
  const StorePtr store = start(5).value();
  EXPECT_TRUE(wait(store->commit(create(sample_saga("g")))));
  add_record("cc-earlier", -1, {});
  EXPECT_TRUE(comes_true([this, &store] {
    under_test_.sql("UPDATE kv SET version = version + 1 WHERE k = 'cc-earlier'");
    return store->health().state == StoreHealth::State::recovering;
  }));
  EXPECT_THAT(store->health().reasons.front(), HasSubstr("cc-earlier"));
  EXPECT_EQ(wait(store->commit(create(sample_saga("h")))).error().code, EngineErrc::store_busy);
  Ownership& ownership = *store->ownership();
  EXPECT_EQ(wait(ownership.claim_due(10)).error().code, EngineErrc::store_busy);
  EXPECT_EQ(wait(ownership.claim(Gid{"g"}, Claim::always)).error().code, EngineErrc::store_busy);
  EXPECT_EQ(wait(ownership.renew({Gid{"g"}})).error().code, EngineErrc::store_busy);
  EXPECT_EQ(records(), "28800");
  under_test_.sql("DELETE FROM kv WHERE k = 'cc-earlier'");
  EXPECT_TRUE(
      comes_true([&store] { return store->health().state == StoreHealth::State::serving; }));
  EXPECT_TRUE(wait(store->commit(create(sample_saga("h")))));
  EXPECT_EQ(records(), "18000");
  EXPECT_EQ(kept_log_.count("the store does not serve: "), 1);
}

TEST_F(MysqlZones, ALockOfTheTableStopsNothingElse) {
  const StorePtr store = start(5).value();
  under_test_.sql("LOCK TABLES kv WRITE");
  const std::string warning = "coordinators with another time zone may not be noticed: ";
  EXPECT_TRUE(comes_true([this, &warning] { return kept_log_.count(warning) == 1; }));
  EXPECT_TRUE(wait(store->commit(create(sample_saga("g")))));
  EXPECT_EQ(store->health().state, StoreHealth::State::serving);
  under_test_.sql("UNLOCK TABLES");
  EXPECT_TRUE(comes_true([this] { return kept_log_.count("time zone are noticed again") == 1; }));
}

TEST_F(MysqlZones, ALockOfAllTablesHasOneLine) {
  const StorePtr store = start(5).value();
  under_test_.sql("FLUSH TABLES WITH READ LOCK");
  EXPECT_TRUE(comes_true([this] { return kept_log_.count("changes wait for the database") == 1; }));
  std::this_thread::sleep_for(std::chrono::seconds(2));  // two further looks wait in vain
  under_test_.sql("UNLOCK TABLES");
  EXPECT_TRUE(comes_true([&store] { return store->health().warnings.empty(); }));
  EXPECT_EQ(kept_log_.count("may not be noticed"), 0);
}

TEST_F(MysqlZones, AUserWhoMayOnlyReadTheTableWorks) {
  start(5).value().reset();  // makes the tables
  under_test_.sql("CREATE OR REPLACE USER reader@'%'");
  const std::string database = under_test_.settings().database.database;
  under_test_.sql("GRANT SELECT ON " + database + ".kv TO reader@'%'");
  for (const char* table : {"trans_global", "trans_branch_op"}) {
    under_test_.sql("GRANT ALL ON " + database + "." + table + " TO reader@'%'");
  }
  const StorePtr store = start(5, "reader").value();
  EXPECT_TRUE(wait(store->commit(create(sample_saga("g")))));
  EXPECT_EQ(records(), "");
  EXPECT_TRUE(comes_true([this] { return kept_log_.count("may not be noticed") == 1; }));
}

}  // namespace concerto::test
