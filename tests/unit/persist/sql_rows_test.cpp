#include <functional>
#include <limits>
#include <utility>

#include <gtest/gtest.h>

#include "sample_transactions.hpp"
#include "sql/options_json.hpp"
#include "sql/owner_column.hpp"
#include "sql/row_changes.hpp"
#include "sql/row_mapping.hpp"
#include "sql/sql_error.hpp"

namespace concerto::test {

using namespace persist;
using std::chrono::seconds;

constexpr std::string_view node = "cc-node";

TEST(SqlTakenOver, IsOneLineForAllOwners) {
  TakenOver taken;
  EXPECT_EQ(taken.line(), "");
  taken.add("cc-a");
  EXPECT_EQ(taken.line(),
            "took over 1 transaction of cc-a: the lease was over and not renewed, as after a crash "
            "or a long pause of a coordinator");
  taken.add("cc-b");
  taken.add("cc-a");
  EXPECT_EQ(taken.line(),
            "took over 3 transactions of cc-a (2), cc-b (1): the leases were over and not renewed, "
            "as after a crash or a long pause of a coordinator");
  for (int i = 0; i < 20; ++i) taken.add("cc-x" + std::to_string(i));
  EXPECT_NE(taken.line().find("took over 23 transactions of"), std::string::npos);
  EXPECT_NE(taken.line().find(" and others: the leases"), std::string::npos);
}

// The texts of protocol page 02, section 7.1, and page 07, sections 1.1 and 3.
TEST(SqlOptions, AreTheTextsOfTheReference) {
  OptionsColumn column;
  EXPECT_EQ(options_text(column), R"({"concurrent":false})");
  column.options.wait_result = true;
  EXPECT_EQ(options_text(column), R"({"wait_result":true,"concurrent":false})");
  column.options.timeout_to_fail = seconds{3};
  column.options.request_timeout = seconds{2};
  column.options.retry_interval = seconds{5};
  column.options.branch_headers = {{"h", "v"}};
  column.options.retry_limit = 2;
  EXPECT_EQ(options_text(column),
            R"({"wait_result":true,"timeout_to_fail":3,"request_timeout":2,"retry_interval":5,)"
            R"("branch_headers":{"h":"v"},"concurrent":false,"retry_limit":2})");
  column.retry_count = 1;
  EXPECT_TRUE(options_text(column).ends_with(R"("retry_limit":2,"retry_count":1})"));
}

TEST(SqlOptions, AreReadAsTheyWereWritten) {
  OptionsColumn column;
  column.options = sample_saga("g").options;
  column.options.branch_headers["odd"] = "<\"\\\n\x01> \u2028";
  column.retry_count = 7;
  const auto read = read_options(options_text(column)).value();
  EXPECT_EQ(read.options, column.options);
  EXPECT_EQ(read.retry_count, 7);
}

struct OptionsCase {
  const char* text;
  bool is_good;
};

TEST(SqlOptions, AreReadFromWhatIsStored) {
  for (const OptionsCase& one : {OptionsCase{"", true},
                                 {"{}", true},
                                 {R"({"branch_headers":null,"unknown":[1]})", true},
                                 {R"({"timeout_to_fail":3.0})", true},
                                 {"[]", false},
                                 {"{", false},
                                 {R"({"timeout_to_fail":"3"})", false},
                                 {R"({"wait_result":1})", false},
                                 {R"({"branch_headers":{"a":1}})", false}}) {
    const auto read = read_options(one.text);
    EXPECT_EQ(read.has_value(), one.is_good) << one.text;
    if (!read) {
      EXPECT_EQ(read.error().code, EngineErrc::store_damaged);
    }
  }
}

TEST(SqlOptions, HeadersOfExtDataYieldToBranchHeaders) {
  std::map<std::string, std::string> headers = {{"a", "1"}};
  ASSERT_TRUE(add_ext_headers("", headers));
  ASSERT_TRUE(add_ext_headers(R"({"headers":{"a":"2","b":"3"}})", headers));
  EXPECT_EQ(headers, (std::map<std::string, std::string>{{"a", "1"}, {"b", "3"}}));
  EXPECT_FALSE(add_ext_headers("?", headers));
}

TEST(SqlOwner, SaysWhoWorksOnARow) {
  EXPECT_EQ(holder_of("cc-rest", node), Holder::nobody);
  EXPECT_EQ(holder_of("cc-node", node), Holder::this_node);
  EXPECT_EQ(holder_of("cc-other", node), Holder::other_node);
  EXPECT_EQ(holder_of("", node), Holder::reference);
  EXPECT_EQ(holder_of("UU4yPVVoCv45FJaCRigbGk", node), Holder::reference);
  EXPECT_EQ(new_node_id().size(), 25U);
  EXPECT_NE(new_node_id(), new_node_id());
}

TEST(SqlClock, IsTheDatabasesInWholeSeconds) {
  RowClock clock;
  const WallTime half = at_second(1) + std::chrono::milliseconds(500);
  EXPECT_EQ(clock.to_row(half), 1'700'000'002);
  EXPECT_EQ(clock.to_row_not_later(half), 1'700'000'001);
  EXPECT_EQ(clock.to_row_not_earlier(at_second(1) + std::chrono::nanoseconds(1)), 1'700'000'002);
  clock.measured(std::chrono::milliseconds(700), {});
  EXPECT_EQ(clock.difference(), seconds{0});
  clock.measured(std::chrono::milliseconds(1'100), std::chrono::seconds(1));
  EXPECT_EQ(clock.difference(), seconds{0});
  clock.measured(std::chrono::milliseconds(-3'600'200), {});
  EXPECT_EQ(clock.difference(), seconds{-3600});
  clock.measured(std::chrono::milliseconds(-3'600'700), {});
  EXPECT_EQ(clock.difference(), seconds{-3600});
  EXPECT_EQ(clock.from_row(clock.to_row(at_second(5))), at_second(5));
}

class SqlRows : public testing::Test {
 protected:
  CreateRows created(const Transaction& trans) {
    return rows_of(trans, clock_, node, RowLimits{}).value();
  }
  Transaction read(const CreateRows& rows) {
    StoredTrans stored;
    stored.row = rows.trans;
    stored.branches = rows.branches;
    return RowReader{clock_, node}.read(std::move(stored)).value();
  }
  Result<UpdateRows> changed(const Transaction& known, TransDelta delta,
                             std::optional<WallTime> rests_until = std::nullopt) {
    UpdateTrans update;
    update.gid = known.gid;
    update.expected = known.status;
    update.delta = std::move(delta);
    update.rests_until = rests_until;
    return rows_of(update, known, clock_, RowLimits{});
  }
  StoredTrans stored(const Transaction& trans) {
    CreateRows rows = created(trans);
    return {rows.trans, rows.branches, false, false};
  }

  RowClock clock_;
};

TEST_F(SqlRows, ATransactionIsReadAsItWasWritten) {
  Transaction saga = sample_saga("g");
  saga.retry_count = 2;
  Transaction expected = saga;
  expected.submit_time.reset();
  EXPECT_EQ(read(created(saga)), expected);
}

TEST_F(SqlRows, ARowHasTheColumnsOfTheReference) {
  const TransRow row = created(sample_saga("g")).trans;
  EXPECT_EQ(row.trans_type, "saga");
  EXPECT_EQ(row.status, "submitted");
  EXPECT_EQ(row.protocol, "grpc");
  EXPECT_EQ(row.ext_data, "");
  EXPECT_EQ(row.next_cron_interval, 10);
  EXPECT_EQ(row.create_time, 1'700'000'000);
  EXPECT_EQ(row.finish_time, std::nullopt);
  EXPECT_EQ(row.owner, node);
  Transaction prepared = sample_saga("g");
  prepared.status = TransStatus::prepared;
  EXPECT_EQ(created(prepared).trans.owner, rest_mark);
  EXPECT_EQ(created(prepared).trans.next_cron_time, 1'700'000'010);
}

struct WaitsCase {
  const char* owner;
  bool is_due;
  bool waits;
};

TEST_F(SqlRows, RowsThatNobodyWorksOnWait) {
  for (const WaitsCase& one : {WaitsCase{"cc-rest", false, true},
                               {"cc-rest", true, true},
                               {"", false, false},
                               {"", true, true},
                               {"cc-node", true, false},
                               {"cc-other", true, false}}) {
    StoredTrans found = stored(sample_saga("g"));
    found.row.owner = one.owner;
    found.is_due = one.is_due;
    const RowReader reader{clock_, node};
    EXPECT_EQ(reader.read(found)->waits, one.waits) << one.owner << one.is_due;
  }
}

TEST_F(SqlRows, OddTextsOfOthersAreReadAsSomethingThatIsLeftAlone) {
  CreateRows rows = created(sample_saga("g"));
  rows.trans.trans_type = "odd";
  rows.trans.options = "";
  const Transaction trans = read(rows);
  EXPECT_EQ(trans.type, TransType{trans_types - 1});
  EXPECT_EQ(trans.options, TransOptions{});
}

TEST_F(SqlRows, DamagedRowsAreNamedByTheirColumn) {
  using Damage = std::function<void(StoredTrans&)>;
  const std::pair<const char*, Damage> damages[] = {
      {"status is 'weird'", [](StoredTrans& one) { one.row.status = "weird"; }},
      {"status is ''", [](StoredTrans& one) { one.row.status = ""; }},
      {"options: no object", [](StoredTrans& one) { one.row.options = "[]"; }},
      {"options: retry_interval is -1",
       [](StoredTrans& one) { one.row.options = R"({"retry_interval":-1})"; }},
      {"ext_data: no object", [](StoredTrans& one) { one.row.ext_data = "1"; }},
      {"create_time is no time", [](StoredTrans& one) { one.row.create_time.reset(); }},
      {"create_time is no time",
       [](StoredTrans& one) { one.row.create_time = std::numeric_limits<RowTime>::max(); }},
      {"branch 02 action has the status 'odd'",
       [](StoredTrans& one) { one.branches.back().status = "odd"; }},
  };
  for (const auto& [why, damage] : damages) {
    StoredTrans one = stored(sample_saga("g"));
    damage(one);
    const auto read = RowReader{clock_, node}.read(std::move(one));
    ASSERT_FALSE(read) << why;
    EXPECT_EQ(read.error().code, EngineErrc::store_damaged) << why;
    EXPECT_EQ(read.error().detail, why);
  }
}

TEST_F(SqlRows, NumbersAndTimesOfOthersThatNobodyNeedsAreMended) {
  StoredTrans one = stored(sample_saga("g"));
  one.row.next_cron_interval = -5;
  one.row.next_cron_time = std::numeric_limits<RowTime>::max();
  one.row.update_time.reset();
  const auto read = RowReader{clock_, node}.read(std::move(one));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->next_cron_interval, seconds{0});
  EXPECT_EQ(read->next_cron_time, WallTime{});
}

TEST_F(SqlRows, WhatAColumnCannotHoldIsRefused) {
  const auto refused = [this](auto set) {
    Transaction trans = sample_saga("g");
    set(trans);
    const auto rows = rows_of(trans, clock_, node, RowLimits{.payload_bytes_max = 100});
    return !rows && rows.error().code == Errc::invalid_request;
  };
  EXPECT_FALSE(refused([](Transaction&) {}));
  EXPECT_TRUE(refused([](Transaction& trans) { trans.gid = Gid{std::string(129, 'g')}; }));
  EXPECT_TRUE(refused([](Transaction& trans) { trans.custom_data = std::string(1025, 'x'); }));
  EXPECT_FALSE(refused([](Transaction& trans) { trans.custom_data = std::string(1024, 'x'); }));
  EXPECT_TRUE(refused([](Transaction& trans) { trans.query_prepared = std::string("a\0", 2); }));
  EXPECT_TRUE(refused([](Transaction& trans) { trans.branches[0].url = "\xff"; }));
  EXPECT_TRUE(refused([](Transaction& trans) { trans.payloads[0] = std::string(101, 'p'); }));
  EXPECT_FALSE(refused([](Transaction& trans) { trans.rollback_reason = std::string(5000, 'r'); }));
}

TEST_F(SqlRows, AReasonIsCutBetweenCharacters) {
  EXPECT_EQ(fitting_text("a\u00e9b", 2), "a\u00e9");
  EXPECT_EQ(fitting_text(std::string("a\0b\xff", 4), 9), "ab\ufffd");
}

TEST_F(SqlRows, AnUpdateNamesBranchesByTheirKeys) {
  const Transaction saga = sample_saga("g");
  TransDelta delta = outcome(1, BranchStatus::succeed, 1);
  delta.new_payloads = {"new"};
  delta.new_branches = {sample_branch("03", "action", 2), sample_branch("03", "again", 0)};
  delta.branch_changes.push_back({4, BranchStatus::failed, at_second(2)});
  const UpdateRows rows = changed(saga, delta).value();
  ASSERT_EQ(rows.branch_changes.size(), 1U);
  EXPECT_EQ(rows.branch_changes[0].branch_id, "01");
  EXPECT_EQ(rows.branch_changes[0].op, "action");
  EXPECT_EQ(rows.branch_changes[0].finish_time, 1'700'000'001);
  ASSERT_EQ(rows.new_branches.size(), 2U);
  EXPECT_EQ(rows.new_branches[0].bin_data, "new");
  EXPECT_EQ(rows.new_branches[0].status, "failed");
  EXPECT_EQ(rows.new_branches[1].bin_data, saga.payloads[0]);
}

TEST_F(SqlRows, AnotherUrlOrPayloadIsAChangeOfItsRow) {
  const Transaction saga = sample_saga("g");
  TransDelta delta;
  delta.at = at_second(1);
  delta.new_payloads = {"new"};
  delta.row_edits = {{1, "http://other/", 2, at_second(1)}, {3, std::nullopt, 0, at_second(1)}};
  UpdateRows rows = changed(saga, delta).value();
  ASSERT_EQ(rows.branch_changes.size(), 2U);
  EXPECT_EQ(rows.branch_changes[0].url, "http://other/");
  EXPECT_EQ(rows.branch_changes[0].bin_data, "new");
  EXPECT_EQ(rows.branch_changes[0].status, "prepared");
  EXPECT_EQ(rows.branch_changes[0].finish_time, std::nullopt);
  EXPECT_EQ(rows.branch_changes[1].url, std::nullopt);
  EXPECT_EQ(rows.branch_changes[1].bin_data, saga.payloads[0]);
  ASSERT_TRUE(merge(rows, changed(saga, outcome(1, BranchStatus::succeed, 2)).value()));
  EXPECT_EQ(rows.branch_changes[0].url, "http://other/") << "a later result keeps the URL";
  EXPECT_EQ(rows.branch_changes[0].bin_data, "new");
  EXPECT_EQ(rows.branch_changes[0].status, "succeed");
  delta.row_edits = {{1, std::string(1025, 'u'), std::nullopt, at_second(1)}};
  EXPECT_FALSE(changed(saga, delta));
}

TEST_F(SqlRows, AnUpdateRenewsRestsOrLeaves) {
  const Transaction saga = sample_saga("g");
  EXPECT_EQ(changed(saga, outcome(1, BranchStatus::succeed, 1))->hold, Hold::renews);
  const UpdateRows rests =
      changed(saga, outcome(1, BranchStatus::succeed, 1), at_second(9)).value();
  EXPECT_EQ(rests.hold, Hold::rests);
  EXPECT_EQ(rests.next_cron_time, 1'700'000'009);
  const UpdateRows done = changed(saga, new_status(TransStatus::succeed, 3)).value();
  EXPECT_EQ(done.hold, Hold::leaves);
  EXPECT_EQ(done.finish_time, 1'700'000'003);
  EXPECT_EQ(done.next_cron_time, std::nullopt);
}

TEST_F(SqlRows, ANewRetryCountKeepsTheOptions) {
  TransDelta delta;
  delta.at = at_second(1);
  delta.retry_count = 3;
  const auto options = changed(sample_saga("g"), delta)->options.value();
  EXPECT_EQ(read_options(options)->options, sample_saga("g").options);
  EXPECT_EQ(read_options(options)->retry_count, 3);
}

TEST_F(SqlRows, LaterChangesOfOneTransactionJoinTheFirst) {
  const Transaction saga = sample_saga("g");
  UpdateRows first = changed(saga, outcome(1, BranchStatus::succeed, 1)).value();
  TransDelta delta = outcome(3, BranchStatus::succeed, 2);
  delta.status = TransStatus::succeed;
  ASSERT_TRUE(merge(first, changed(saga, delta).value()));
  EXPECT_EQ(first.branch_changes.size(), 2U);
  EXPECT_EQ(first.status, TransStatus::succeed);
  EXPECT_EQ(first.update_time, 1'700'000'002);
  EXPECT_EQ(first.hold, Hold::leaves);
  EXPECT_FALSE(merge(first, changed(saga, delta).value())) << "it is finished";
  UpdateRows rests = changed(saga, outcome(1, BranchStatus::succeed, 1), at_second(9)).value();
  EXPECT_FALSE(merge(rests, changed(saga, delta).value())) << "it is not this node's any more";
}

TEST_F(SqlRows, RowsTellWhetherAnUpdateWasMade) {
  Transaction saga = sample_saga("g");
  TransDelta delta = outcome(3, BranchStatus::succeed, 2);
  delta.status = TransStatus::aborting;
  delta.rollback_reason = "no";
  const UpdateRows rows = changed(saga, delta).value();
  EXPECT_FALSE(shows(stored(saga), rows, node));
  apply(saga, delta);
  EXPECT_TRUE(shows(stored(saga), rows, node));
  StoredTrans others = stored(saga);
  others.row.owner = "cc-other";
  EXPECT_FALSE(shows(others, rows, node));
  saga.branches[3].status = BranchStatus::prepared;
  EXPECT_FALSE(shows(stored(saga), rows, node));
}

TEST_F(SqlRows, AnEndThatAnotherNodeHasWrittenIsNotThisNodes) {
  Transaction saga = sample_saga("g");
  const TransDelta end = new_status(TransStatus::succeed, 3);
  const UpdateRows rows = changed(saga, end).value();
  apply(saga, end);
  StoredTrans found = stored(saga);
  EXPECT_TRUE(shows(found, rows, node));
  found.row.owner = "cc-other";
  EXPECT_FALSE(shows(found, rows, node));
  TransDelta later;
  later.at = at_second(4);
  later.schedule = Schedule{std::chrono::seconds{10}, at_second(14), false};
  const UpdateRows rescheduled = changed(saga, later).value();
  apply(saga, later);
  found = stored(saga);
  found.row.owner = "cc-other";
  EXPECT_TRUE(shows(found, rescheduled, node)) << "any node may reschedule what is finished";
}

TEST_F(SqlRows, RowsTellWhetherACreationWasMade) {
  const Transaction saga = sample_saga("g");
  StoredTrans found = stored(saga);
  EXPECT_TRUE(shows(found, created(saga)));
  found.row.owner = "cc-other";
  EXPECT_FALSE(shows(found, created(saga)));
  EXPECT_FALSE(shows(stored(sample_saga("g", 1)), created(saga)));
}

TEST(SqlErrors, AreClassedByTheirCode) {
  for (const auto& [state, code] : {std::pair{"40P01", SqlErrc::rolled_back},
                                    {"40001", SqlErrc::rolled_back},
                                    {"25006", SqlErrc::not_now},
                                    {"53300", SqlErrc::not_now},
                                    {"57P01", SqlErrc::not_now},
                                    {"57P03", SqlErrc::not_now},
                                    {"57014", SqlErrc::rolled_back},
                                    {"42P01", SqlErrc::wrong_schema},
                                    {"22001", SqlErrc::refused},
                                    {"23505", SqlErrc::refused}}) {
    EXPECT_EQ(class_of_sqlstate(state), code) << state;
  }
}

}  // namespace concerto::test
