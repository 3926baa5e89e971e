#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redis_store_under_test.hpp"

/// Damaged records: each is named, nothing writes it, and it is in nobody's way.
namespace concerto::test {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RedisDamage : public testing::Test {
 protected:
  RedisDamage() {
    auto opened =
        RedisStore::open(redis_options_for(shared_server().port(), prefix_), clock_, log_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }

  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }
  std::string key(const std::string& kind, const std::string& name = "g1") const {
    return prefix_ + kind + name;
  }
  void make(const std::string& gid) {
    const Transaction trans = sample_saga(gid);
    ASSERT_TRUE(wait(store_->commit(create(trans))));
  }
  /// All that the transaction g1 has in Redis, except its place in the schedule.
  std::vector<std::string> dump() {
    return {client_.ask({"DUMP", key("_g_")}), client_.ask({"DUMP", key("_s_")}),
            client_.ask({"DUMP", key("_b_")})};
  }
  std::vector<std::string> due(std::initializer_list<const char*> gids) {
    for (const char* gid : gids) client_.ask({"ZADD", prefix_ + "_u", "1000.25", gid});
    std::vector<std::string> claimed;
    for (const Transaction& trans : wait(store_->claim_due(10)).value()) {
      claimed.push_back(trans.gid.str());
    }
    return claimed;
  }
  std::vector<std::string> listed(ListFilter filter = {}) {
    std::vector<std::string> gids;
    const TransPage page = wait(store_->list(std::move(filter), "", 10)).value();
    for (const Transaction& trans : page.transactions) gids.push_back(trans.gid.str());
    return gids;
  }
  template <class T>
  void expect_damaged(const Result<T>& result, const std::string& why) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, EngineErrc::store_damaged);
    EXPECT_EQ(result.error().detail, "transaction 'g1' is damaged: " + why);
  }

  const std::string prefix_ = new_prefix();
  asio::io_context io_{1};
  StoreClock clock_;
  LogLines log_;
  std::unique_ptr<RedisStore> store_;
  RedisClient client_{shared_server().port()};
};

/// What somebody did to a key, and what is said of it. `P` stands for the prefix.
struct DamageCase {
  const char* name;
  std::vector<std::string> commands;  ///< words, separated by `|`
  std::string why;
};

std::string with_prefix(std::string text, const std::string& prefix) {
  for (std::size_t at = text.find("P_"); at != std::string::npos; at = text.find("P_", at)) {
    text.replace(at, 1, prefix);
  }
  return text;
}

class RedisDamagedRecord : public RedisDamage, public testing::WithParamInterface<DamageCase> {
 protected:
  void damage() {
    for (const std::string& command : GetParam().commands) {
      std::vector<std::string> words;
      for (std::size_t from = 0; from <= command.size();) {
        const std::size_t end = std::min(command.find('|', from), command.size());
        words.push_back(with_prefix(command.substr(from, end - from), prefix_));
        from = end + 1;
      }
      const std::string fourth = words.size() > 3 ? words[3] : "";
      if (words.size() == 2) client_.ask({words[0], words[1]});
      if (words.size() == 3) client_.ask({words[0], words[1], words[2]});
      if (words.size() == 4) client_.ask({words[0], words[1], words[2], fourth});
    }
  }
};

TEST_P(RedisDamagedRecord, IsNamedAndLeftAlone) {
  make("g1");
  make("g2");
  damage();
  const auto before = dump();
  const std::string why = with_prefix(GetParam().why, prefix_);
  log_.take();
  EXPECT_THAT(due({"g1", "g2"}), ElementsAre("g2"));
  EXPECT_THAT(log_.take(), HasSubstr("transaction 'g1' is damaged: " + why));
  EXPECT_THAT(due({"g1"}), IsEmpty());
  EXPECT_THAT(due({}), IsEmpty()) << "it rests";
  expect_damaged(wait(store_->load(Gid{"g1"})), why);
  expect_damaged(wait(store_->claim(Gid{"g1"}, Claim::if_free)), why);
  expect_damaged(wait(store_->claim(Gid{"g1"}, Claim::always)), why);
  const auto changed = new_status(TransStatus::aborting, 1);
  expect_damaged(wait(store_->commit(update("g1", TransStatus::submitted, changed))), why);
  EXPECT_THAT(wait(store_->renew({Gid{"g2"}})).value(), IsEmpty());
  EXPECT_TRUE(wait(store_->let_go(Gid{"g1"}, clock_.wall_now())));
  EXPECT_TRUE(wait(store_->owner_of(Gid{"g1"})));
  EXPECT_TRUE(store_->maintain());
  ListFilter whole;
  whole.accepts = [](const Transaction&) { return true; };
  EXPECT_THAT(listed(whole), ElementsAre("g2"));
  EXPECT_FALSE(listed().empty());
  const auto again = wait(store_->commit(create(sample_saga("g1"))));
  EXPECT_FALSE(again);
  EXPECT_EQ(dump(), before);
  EXPECT_EQ(log_.take(), "") << "it is told once";
  EXPECT_EQ(number_in(*store_, "damaged_records"), 1);
  client_.ask({"DEL", key("_g_"), key("_s_"), key("_b_")});
  EXPECT_EQ(wait(store_->load(Gid{"g1"})).value(), std::nullopt);
  EXPECT_EQ(number_in(*store_, "damaged_records"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, RedisDamagedRecord,
    testing::Values(
        DamageCase{"StatusIsMissing", {"DEL|P_s_g1"}, "P_s_g1 is missing"},
        DamageCase{
            "StatusIsAList", {"DEL|P_s_g1", "RPUSH|P_s_g1|x"}, "P_s_g1 is a list and no string"},
        DamageCase{"StatusIsForeign",
                   {"SET|P_s_g1|weird"},
                   "P_s_g1 is 'weird', and the status in P_g_g1 is 'submitted'"},
        DamageCase{"StatusIsAnotherOne",
                   {"SET|P_s_g1|failed"},
                   "P_s_g1 is 'failed', and the status in P_g_g1 is 'submitted'"},
        DamageCase{"BothStatusesAreForeign",
                   {R"(SET|P_g_g1|{"trans_type":"saga","status":"weird"})", "SET|P_s_g1|weird"},
                   "P_g_g1 has the status 'weird', which is not known"},
        DamageCase{"RecordIsCut", {"SET|P_g_g1|{"}, "P_g_g1 is not JSON"},
        DamageCase{"RecordIsAnArray", {"SET|P_g_g1|[1,2,3]"}, "P_g_g1 is no object"},
        DamageCase{"RecordHasNoStatus",
                   {R"(SET|P_g_g1|{"gid":"g1"})"},
                   "P_g_g1 has no trans_type or no status"},
        DamageCase{"RecordHasBrokenOptions",
                   {R"(SET|P_g_g1|{"trans_type":"saga","status":"submitted","options":"{"})"},
                   "P_g_g1 has a member options that is no JSON object"},
        DamageCase{
            "RecordIsAHash", {"DEL|P_g_g1", "HSET|P_g_g1|a|b"}, "P_g_g1 is a hash and no string"},
        DamageCase{"RecordIsMissing", {"DEL|P_g_g1"}, "P_g_g1 is missing"},
        DamageCase{
            "BranchesAreAString", {"DEL|P_b_g1", "SET|P_b_g1|x"}, "P_b_g1 is a string and no list"},
        DamageCase{"BranchesAreMissing", {"DEL|P_b_g1"}, "P_b_g1 is missing"},
        DamageCase{"BranchIsCut", {"LSET|P_b_g1|2|{"}, "P_b_g1: the branch at index 2 is not JSON"},
        DamageCase{"BranchHasAForeignStatus",
                   {R"(LSET|P_b_g1|3|{"branch_id":"02","op":"action","status":"odd"})"},
                   "P_b_g1: the branch at index 3 has an unknown status"},
        DamageCase{"BranchHasABrokenPayload",
                   {"LSET|P_b_g1|3|"
                    R"({"branch_id":"02","op":"action","status":"prepared","bin_data":"#"})"},
                   "P_b_g1: the branch at index 3 has bin_data that is not base64"}),
    [](const auto& row) { return row.param.name; });

TEST_F(RedisDamage, ARepairedRecordGoesOn) {
  make("g1");
  client_.ask({"SET", key("_s_"), "weird"});
  EXPECT_THAT(due({"g1"}), IsEmpty());
  EXPECT_EQ(number_in(*store_, "damaged_records"), 1);
  client_.ask({"SET", key("_s_"), "submitted"});
  EXPECT_THAT(due({"g1"}), ElementsAre("g1"));
  EXPECT_EQ(number_in(*store_, "damaged_records"), 0);
}

TEST_F(RedisDamage, WhatRedisCanReadAndThisStoreCannotRests) {
  make("g1");
  const std::string text = client_.ask({"GET", key("_g_")});
  const std::size_t at = text.find(R"("create_time":")");
  client_.ask({"SET", key("_g_"), std::string(text).replace(at + 15, 4, "0000")});
  EXPECT_THAT(due({"g1"}), IsEmpty());
  EXPECT_THAT(log_.take(), HasSubstr("transaction 'g1' is damaged: create_time is no time"));
  EXPECT_FALSE(wait(store_->load(Gid{"g1"})));  // It comes after what lets the transaction rest.
  EXPECT_THAT(client_.ask({"GET", key("_g_")}), HasSubstr(R"("owner":"cc-rest")"));
}

TEST_F(RedisDamage, WhatRestsAndIsDamagedIsNamedWhenItIsClaimedAndRestsAgain) {
  make("g1");
  UpdateTrans rest{Gid{"g1"}, TransStatus::submitted, {}, clock_.wall_now()};
  rest.delta.at = at_second(1);
  rest.delta.schedule = Schedule{std::chrono::seconds(9), at_second(9), true};
  ASSERT_TRUE(wait(store_->commit(Change{rest, Durability::durable})));
  client_.ask({"LSET", key("_b_"), "1", "{"});
  const std::string why = key("_b_") + ": the branch at index 1 is not JSON";
  expect_damaged(wait(store_->claim(Gid{"g1"}, Claim::if_free)), why);
  EXPECT_THAT(log_.take(), HasSubstr("transaction 'g1' is damaged: " + why));
  EXPECT_THAT(due({"g1"}), IsEmpty());
  EXPECT_THAT(due({}), IsEmpty()) << "it rests";
  client_.ask({"LSET", key("_b_"), "1", client_.ask({"LINDEX", key("_b_"), "0"})});
  client_.ask({"LSET", key("_b_"), "0", "{"});
  expect_damaged(wait(store_->load(Gid{"g1"})), key("_b_") + ": the branch at index 0 is not JSON");
}

TEST_F(RedisDamage, TheUpkeepSaysWhatItCannotRead) {
  make("g1");
  const std::string text = client_.ask({"GET", key("_g_")});
  const std::size_t at = text.find(R"("create_time":")");
  client_.ask({"SET", key("_g_"), std::string(text).replace(at + 15, 4, "0000")});
  client_.ask({"ZREM", prefix_ + "_c_all", "g1"});
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(log_.take(), HasSubstr("transaction 'g1' is damaged: create_time is no time"));
}

TEST_F(RedisDamage, AMemberOfTheScheduleWithoutARecordIsTakenOutAndNamed) {
  EXPECT_THAT(due({"gone"}), IsEmpty());
  EXPECT_THAT(log_.take(), HasSubstr("was in the schedule without a record"));
  EXPECT_EQ(client_.ask({"ZCARD", prefix_ + "_u"}), "0");
}

TEST_F(RedisDamage, AnUnfinishedRecordThatIsNotInTheScheduleIsPutThere) {
  make("g1");
  make("done");
  ASSERT_TRUE(wait(
      store_->commit(update("done", TransStatus::submitted, new_status(TransStatus::succeed, 1)))));
  client_.ask({"ZREM", prefix_ + "_u", "g1"});
  ASSERT_TRUE(store_->maintain());
  EXPECT_THAT(log_.take(), HasSubstr("was unfinished and not in the schedule"));
  EXPECT_EQ(client_.ask({"ZCARD", prefix_ + "_u"}), "1");
}

TEST_F(RedisDamage, AScheduleOfAnotherTypeIsNamedAndNothingNewIsStored) {
  client_.ask({"SET", prefix_ + "_u", "x"});
  const std::string why = "the schedule is damaged: " + prefix_ + "_u is a string and no zset";
  const auto due = wait(store_->claim_due(10));
  ASSERT_FALSE(due);
  EXPECT_EQ(due.error().detail, why);
  EXPECT_THAT(log_.take(), HasSubstr(why));
  EXPECT_NE(store_->health().state, StoreHealth::State::serving);
  const auto created = wait(store_->commit(create(sample_saga("g1"))));
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, EngineErrc::store_damaged);
  EXPECT_EQ(client_.ask({"EXISTS", key("_g_"), key("_s_"), key("_b_")}), "0");
  client_.ask({"DEL", prefix_ + "_u"});
  EXPECT_TRUE(wait(store_->claim_due(10)));
  EXPECT_EQ(store_->health().state, StoreHealth::State::serving);
}

TEST_F(RedisDamage, OfSomeLeavesTheOthersInAListOfWholeTransactions) {
  for (const char* gid : {"g1", "g2", "g3", "g4", "g5", "g6"}) make(gid);
  // A record as another encoder writes it is sound.
  client_.ask({"EVAL",
               "redis.call('SET', KEYS[1], cjson.encode(cjson.decode(redis.call('GET', KEYS[1]))))",
               "1", key("_g_")});
  client_.ask({"LSET", key("_b_", "g4"), "1", "{"});
  client_.ask({"DEL", key("_b_", "g5")});
  for (const char* kind : {"_g_", "_b_", "_s_"}) client_.ask({"DEL", key(kind, "g6")});
  ListFilter filter;
  filter.statuses = {TransStatus::submitted};
  filter.accepts = [](const Transaction& trans) { return trans == sample_saga(trans.gid.str()); };
  EXPECT_THAT(listed(std::move(filter)), ElementsAre("g3", "g2", "g1"));
  EXPECT_EQ(store_->damage(10).total, 2U);
}

TEST_F(RedisDamage, ADamagedTopicIsNamedAndHidesNoOther) {
  KvRecord topic;
  topic.cat = "topics";
  topic.value = "[]";
  for (const char* name : {"cut", "list", "good"}) {
    topic.key = name;
    ASSERT_TRUE(wait(store_->create_kv(topic)));
  }
  client_.ask({"SET", key("_kv_topics_", "cut"), "{"});
  client_.ask({"DEL", key("_kv_topics_", "list")});
  client_.ask({"RPUSH", key("_kv_topics_", "list"), "x"});
  const KvPage page = wait(store_->scan_kv("topics", "", 10)).value();
  ASSERT_EQ(page.records.size(), 1U);
  EXPECT_EQ(page.records[0].key, "good");
  for (const char* name : {"cut", "list"}) {
    topic.key = name;
    const auto found = wait(store_->find_kv("topics", name));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, EngineErrc::store_damaged);
    EXPECT_THAT(found.error().detail, HasSubstr(key("_kv_topics_", name)));
    EXPECT_FALSE(wait(store_->create_kv(topic)));
    const auto changed = wait(store_->update_kv(topic));
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().code, EngineErrc::store_damaged);
  }
}

}  // namespace concerto::test
