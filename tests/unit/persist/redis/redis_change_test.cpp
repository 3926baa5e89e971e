#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redis_store_under_test.hpp"

/// How the scripts of changes treat records and branches of different form.
namespace concerto::test {

using testing::AllOf;
using testing::Each;
using testing::EndsWith;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;
using testing::Not;
using testing::StartsWith;

class RedisChangeTest : public testing::Test {
 protected:
  RedisChangeTest() {
    auto opened =
        RedisStore::open(redis_options_for(shared_server().port(), prefix_), clock_, log_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }

  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }
  error_code commit_code(Change change) {
    const Result<> done = wait(store_->commit(std::move(change)));
    return done ? error_code{} : done.error().code;
  }
  /// Changes the transaction g1 in Redis and in `trans_`.
  error_code change(const TransDelta& delta) {
    const error_code code = commit_code(update("g1", trans_.status, delta));
    if (!code) apply(trans_, delta);
    return code;
  }
  /// Puts g1 to rest with a new schedule, and changes `trans_`.
  void put_to_rest(std::int64_t second) {
    TransDelta delta;
    delta.at = at_second(second);
    delta.schedule = Schedule{std::chrono::seconds(second), at_second(10 * second), true};
    Change rest = update("g1", trans_.status, delta);
    std::get<UpdateTrans>(rest.what).rests_until = clock_.wall_now() + std::chrono::seconds(20);
    ASSERT_EQ(commit_code(std::move(rest)), error_code{});
    apply(trans_, delta);
  }
  bool claims() { return wait(store_->claim(Gid{"g1"}, Claim::if_free)).value().is_ours; }
  /// What is set at the end of a record and of branches.
  static TransDelta of_ends(std::uint32_t index, std::int64_t second) {
    return outcome(index, BranchStatus::succeed, second);
  }

  std::string record() { return client_.ask({"GET", key("_g_")}); }
  /// Without the blanks that a shorter end leaves behind it.
  std::string record_text() {
    const std::string text = record();
    return text.substr(0, text.find_last_not_of(' ') + 1);
  }
  void set_lives(int seconds) {
    for (const char* kind : {"_g_", "_b_", "_s_"}) {
      client_.ask({"EXPIRE", key(kind), std::to_string(seconds)});
    }
  }
  std::vector<int> lives() {
    std::vector<int> seconds;
    for (const char* kind : {"_g_", "_b_", "_s_"}) {
      seconds.push_back(std::stoi(client_.ask({"TTL", key(kind)})));
    }
    return seconds;
  }
  std::string branch(int index) {
    return client_.ask({"LINDEX", key("_b_"), std::to_string(index)});
  }
  void set_record(const std::string& text) { client_.ask({"SET", key("_g_"), text, "EX", "600"}); }
  /// All texts as an encoder writes them that does not keep the order of members.
  void write_in_another_order() {
    client_.ask({"EVAL",
                 "local function again(text) return cjson.encode(cjson.decode(text)) end "
                 "redis.call('SET', KEYS[1], again(redis.call('GET', KEYS[1])), 'EX', 600) "
                 "for i = 0, redis.call('LLEN', KEYS[2]) - 1 do "
                 "redis.call('LSET', KEYS[2], i, again(redis.call('LINDEX', KEYS[2], i))) end",
                 "2", key("_g_"), key("_b_")});
  }
  std::string key(const std::string& kind) const { return prefix_ + kind + "g1"; }
  Transaction stored() { return wait(store_->load(Gid{"g1"})).value().value(); }

  const std::string prefix_ = new_prefix();
  asio::io_context io_{1};
  StoreClock clock_;
  LogLines log_;
  std::unique_ptr<RedisStore> store_;
  RedisClient client_{shared_server().port()};
  Transaction trans_ = sample_saga("g1");
};

/// The part of a text that no change of its end touches.
std::string head_of(const std::string& text) {
  return text.substr(0, text.find(" \""));
}

TEST_F(RedisChangeTest, TheEndsOfItsOwnTextsAreReplaced) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  const std::string before = record(), branch_before = branch(1);
  ASSERT_EQ(change(of_ends(1, 1)), error_code{});
  EXPECT_THAT(record(), StartsWith(head_of(before) + " \"node\":\""));
  EXPECT_EQ(branch(1), head_of(branch_before) +
                           R"( "update_time":"2023-11-14T22:13:21Z","status":"succeed",)"
                           R"("finish_time":"2023-11-14T22:13:21Z"})");
  EXPECT_EQ(stored(), trans_);
  TransDelta last = of_ends(3, 2);
  last.status = TransStatus::succeed;
  ASSERT_EQ(change(last), error_code{});
  EXPECT_THAT(record(), StartsWith(head_of(before) + " \"node\":\""));
  EXPECT_THAT(record(), EndsWith(R"("status":"succeed","finish_time":"2023-11-14T22:13:22Z"})"));
  EXPECT_EQ(client_.ask({"GET", key("_s_")}), "succeed");
  EXPECT_EQ(client_.ask({"ZSCORE", prefix_ + "_c_open", "g1"}), "");
  EXPECT_EQ(stored(), trans_);
}

/// The part of a record before its own schedule.
std::string before_schedule(const std::string& text) {
  return text.substr(0, text.find("\"next_cron_interval\""));
}

TEST_F(RedisChangeTest, ARestAndAClaimReplaceTheScheduleAndTheEnd) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  const std::string before = record();
  for (const int second : {1, 2}) {
    put_to_rest(second);
    EXPECT_THAT(record(), StartsWith(before_schedule(before) +
                                     "\"next_cron_interval\":" + std::to_string(second)));
    EXPECT_THAT(record_text(), EndsWith(R"("status":"submitted","owner":"cc-rest"})"));
    const std::size_t waits = record().find("\"waits\":true");
    EXPECT_EQ(record().find("\"waits\"", waits + 1), std::string::npos);
    EXPECT_EQ(stored(), trans_);
    EXPECT_THAT(client_.ask({"ZSCORE", prefix_ + "_u", "g1"}), EndsWith(".25"));
    const std::string rests = record();
    EXPECT_TRUE(claims());
    EXPECT_EQ(record_text(), rests.substr(0, rests.rfind("cc-rest")) + store_->node() + "\"}");
    EXPECT_THAT(client_.ask({"ZSCORE", prefix_ + "_u", "g1"}), EndsWith(".5"));
    EXPECT_TRUE(claims()) << "it is this coordinator's already";
  }
  ASSERT_EQ(change(of_ends(1, 3)), error_code{});
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, ARestAndAClaimRenewLivesThatAreShorterByAHundredth) {
  constexpr int life = 604'800, wait = 20, kept = life - 6'000, renewed = life - 6'100;
  const auto each = [](int least, int most) { return Each(AllOf(Ge(least), Le(most))); };
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  set_lives(kept + wait);
  put_to_rest(1);
  EXPECT_THAT(lives(), each(0, kept + wait));
  set_lives(kept);
  EXPECT_TRUE(claims());
  EXPECT_THAT(lives(), each(0, kept));
  set_lives(renewed);
  EXPECT_TRUE(claims());
  EXPECT_THAT(lives(), each(life - 60, life));
  set_lives(renewed + wait);
  put_to_rest(2);
  EXPECT_THAT(lives(), each(life + wait - 60, life + wait));
  client_.ask({"PERSIST", key("_g_")});
  EXPECT_TRUE(claims());
  EXPECT_THAT(lives(), each(life - 60, life));
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, ARestOfATextOfAnotherOrderHasItsEndAfterwards) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  write_in_another_order();
  put_to_rest(1);
  EXPECT_EQ(stored(), trans_);
  EXPECT_TRUE(claims());
  const std::string before = record();
  EXPECT_THAT(before, HasSubstr(" \"node\":\""));
  put_to_rest(2);
  EXPECT_THAT(record(), StartsWith(before_schedule(before) + "\"next_cron_interval\":2,"));
  EXPECT_EQ(stored(), trans_);
  write_in_another_order();
  EXPECT_TRUE(claims());
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, TextsOfAnotherOrderAreMergedAndHaveEndsAfterwards) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  write_in_another_order();
  ASSERT_THAT(record(), Not(HasSubstr(" \"node\":")));
  ASSERT_EQ(change(of_ends(1, 1)), error_code{});
  EXPECT_EQ(stored(), trans_);
  const std::string before = record();
  EXPECT_THAT(before, HasSubstr(" \"node\":\""));
  TransDelta touch;
  touch.at = at_second(2);
  ASSERT_EQ(change(touch), error_code{});
  EXPECT_THAT(record(), StartsWith(head_of(before) + " \"node\":\""));
  EXPECT_EQ(stored(), trans_);
  write_in_another_order();
  ASSERT_EQ(change(new_status(TransStatus::succeed, 3)), error_code{});
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, WhatMoreIsSetIsMergedAndHasEndsAfterwards) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  TransDelta more = new_status(TransStatus::aborting, 1);
  more.rollback_reason = "no \"money\"";
  more.new_branches = {sample_branch("03", "action", 1)};
  more.branch_changes = {{1, BranchStatus::failed, at_second(1)}};
  ASSERT_EQ(change(more), error_code{});
  EXPECT_EQ(stored(), trans_);
  const std::string before = record(), branch_before = branch(4);
  ASSERT_EQ(change(of_ends(4, 2)), error_code{});
  EXPECT_THAT(record(), StartsWith(head_of(before) + " \"node\":\""));
  EXPECT_THAT(branch(4), StartsWith(head_of(branch_before) + " \"update_time\":\""));
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, ARowWithAnotherUrlAndPayloadHasItsEndAfterwards) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  TransDelta edit;
  edit.at = at_second(1);
  edit.new_payloads = {std::string("bin\0ary", 7)};
  edit.row_edits = {{1, "http://other/", 2, at_second(1)}};
  ASSERT_EQ(change(edit), error_code{});
  EXPECT_EQ(stored(), trans_);
  const std::string before = branch(1);
  EXPECT_THAT(before, HasSubstr(R"("url":"http:\/\/other\/")"));
  ASSERT_EQ(change(of_ends(1, 2)), error_code{});
  EXPECT_THAT(branch(1), StartsWith(head_of(before) + " \"update_time\":\""));
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, AnEndMayBeLongerOrShorterThanTheOneBefore) {
  trans_.update_time += std::chrono::nanoseconds{123'456'789};
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  for (const int nanoseconds : {0, 5'000, 0, 123'456'789}) {
    TransDelta delta;
    delta.at = at_second(1) + std::chrono::nanoseconds{nanoseconds};
    ASSERT_EQ(change(delta), error_code{});
    EXPECT_EQ(stored(), trans_) << record();
  }
  EXPECT_THAT(record(), HasSubstr(" \"node\":"));
}

TEST_F(RedisChangeTest, ABranchMayGetAnotherOutcome) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  for (const BranchStatus status :
       {BranchStatus::failed, BranchStatus::succeed, BranchStatus::prepared}) {
    ASSERT_EQ(change(outcome(1, status, 1)), error_code{});
    EXPECT_EQ(stored(), trans_);
  }
  TransDelta twice = outcome(3, BranchStatus::failed, 2);
  twice.branch_changes.push_back({3, BranchStatus::succeed, at_second(3)});
  ASSERT_EQ(change(twice), error_code{});
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, WhatFollowsTheEndOfABranchStays) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  std::string text = branch(1);
  text.back() = ',';
  client_.ask({"LSET", key("_b_"), "1", text + R"("note":"by hand"})"});
  ASSERT_EQ(change(of_ends(1, 1)), error_code{});
  EXPECT_THAT(branch(1), HasSubstr(R"("note":"by hand")"));
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, AChangeOfALaterSecondRenewsLeaseAndLives) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  const std::string lease = client_.ask({"ZSCORE", prefix_ + "_u", "g1"});
  client_.ask({"ZINCRBY", prefix_ + "_u", "-2", "g1"});
  set_lives(100);
  ASSERT_EQ(change(of_ends(1, 1)), error_code{});
  EXPECT_GE(std::stod(client_.ask({"ZSCORE", prefix_ + "_u", "g1"})), std::stod(lease));
  EXPECT_THAT(lives(), Each(Ge(604'000)));
}

TEST_F(RedisChangeTest, AChangeThatIsSentAgainAfterALaterOneWasMadeBefore) {
  persist::RedisCommands commands(prefix_, "cc-this", {}, clock_);
  persist::RedisConnection connection{{}};
  ASSERT_TRUE(connection.open({"127.0.0.1", shared_server().port()}, nullptr));
  const auto answer_to = [&connection](const std::string& command) {
    EXPECT_TRUE(connection.send(command));
    const ReplyPtr reply = connection.receive().value();
    return std::string(Reply{reply.get()}.text());
  };
  const std::string first = commands.create(trans_, false);
  std::vector<std::string> changes;
  for (const int second : {1, 2}) {
    TransDelta touch;
    touch.at = at_second(second);
    changes.push_back(
        commands.update({Gid{"g1"}, TransStatus::submitted, touch, std::nullopt, nullptr}));
  }
  EXPECT_EQ(answer_to(first), "OK");
  for (const std::string& change : changes) EXPECT_EQ(answer_to(change), "OK");
  const std::string before = record();
  for (const std::string& again : {first, changes[0]}) {
    EXPECT_EQ(answer_to(again), "OK");
    EXPECT_EQ(record(), before);
  }
}

/// What somebody did to the end of a record, and how a change then ends.
struct ForeignCase {
  const char* name;
  const char* text;
  const char* new_text;  ///< instead of it
  error_code code;
};

class RedisForeignRecord : public RedisChangeTest,
                           public testing::WithParamInterface<ForeignCase> {};

TEST_P(RedisForeignRecord, IsNotChanged) {
  const ForeignCase& row = GetParam();
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  std::string text = record();
  const std::size_t at = text.rfind(row.text);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, std::string_view(row.text).size(), row.new_text);
  set_record(text);
  const std::string branch_before = branch(1);
  EXPECT_EQ(change(of_ends(1, 1)), row.code);
  EXPECT_EQ(record(), text);
  EXPECT_EQ(branch(1), branch_before);
}

INSTANTIATE_TEST_SUITE_P(
    All, RedisForeignRecord,
    testing::Values(
        ForeignCase{"OfAnotherCoordinator", R"("owner":"cc-)", R"("owner":"cc-other)",
                    EngineErrc::lease_lost},
        ForeignCase{"AtRest", R"("owner":")", R"("owner":"cc-rest","was":")",
                    EngineErrc::lease_lost},
        ForeignCase{"WithoutAnOwner", R"("owner":")", R"("was":")", EngineErrc::lease_lost},
        ForeignCase{"ThatIsDamaged", R"("status":)", R"("status")", EngineErrc::store_damaged}),
    [](const auto& row) { return row.param.name; });

TEST_F(RedisChangeTest, ATransactionThatIsNotInTheScheduleIsNotChanged) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  error_code done;
  // The first upkeep of the new store may put it back, once.
  for (int i = 0; i < 2 && done != EngineErrc::lease_lost; ++i) {
    client_.ask({"ZREM", prefix_ + "_u", "g1"});
    done = change(of_ends(1, 1));
  }
  EXPECT_EQ(done, EngineErrc::lease_lost);
}

TEST_F(RedisChangeTest, IsMadeWholeOrNotAtAllIfABranchIsDamagedOrMissing) {
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  const std::string before = record(), branch_before = branch(1);
  TransDelta delta = of_ends(1, 1);
  delta.branch_changes.push_back({4, BranchStatus::succeed, at_second(1)});
  EXPECT_EQ(change(delta), Errc::invalid_request);
  client_.ask({"LSET", key("_b_"), "3", "{"});
  delta.branch_changes.back().index = 3;
  EXPECT_EQ(change(delta), EngineErrc::store_damaged);
  EXPECT_EQ(record(), before);
  EXPECT_EQ(branch(1), branch_before);
}

TEST_F(RedisChangeTest, ARecordOfAnEarlierVersionIsMerged) {
  trans_.branches.resize(1);
  trans_.payloads.resize(1);
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  const std::string text = record(), own = text.substr(text.find(" \"node\":") + 1);
  const std::string node = own.substr(8, own.find('"', 8) - 8);
  // The member order of version 0.1, with the change before this one.
  const std::size_t concerto = text.find("\"concerto\":{");
  set_record(text.substr(0, concerto) + R"("update_time":null,"status":"submitted","owner":")" +
             node + R"(","concerto":{"node":")" + node +
             R"(","change":1,"payloads":1,"submit_time":"2023-11-14T22:13:20Z"}})");
  ASSERT_EQ(change(of_ends(0, 1)), error_code{});
  EXPECT_EQ(stored(), trans_);
}

TEST_F(RedisChangeTest, BranchesThatWereLeftAreNotThoseOfANewTransaction) {
  client_.ask({"RPUSH", key("_b_"), "{}", "{}"});
  trans_.branches.clear();
  for (int i = 0; i < 2'001; ++i) {
    trans_.branches.push_back(sample_branch(std::to_string(i), "action", i % 2));
  }
  ASSERT_EQ(commit_code(create(trans_)), error_code{});
  EXPECT_EQ(stored(), trans_);
}

}  // namespace concerto::test
