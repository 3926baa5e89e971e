#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "redis/record_json.hpp"
#include "redis/redis_answer.hpp"
#include "redis/redis_kind.hpp"
#include "redis/redis_promise.hpp"
#include "redis/resp.hpp"
#include "sample_transactions.hpp"

namespace concerto::persist {
namespace {

using test::at_second;
using test::sample_saga;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct TroubleCase {
  const char* name;
  const char* text;
  RedisTrouble trouble;
  error_code when_it_creates;
  error_code when_it_changes;
};

const error_code busy = EngineErrc::store_busy;
const error_code failed = EngineErrc::store_failed;
const error_code full = Errc::overloaded;

class RedisAnswer : public testing::TestWithParam<TroubleCase> {};

TEST_P(RedisAnswer, HasAClass) {
  const TroubleCase& row = GetParam();
  EXPECT_EQ(trouble_of(row.text), row.trouble);
  EXPECT_EQ(error_of(row.text, Deed::creates).code, row.when_it_creates);
  EXPECT_EQ(error_of(row.text, Deed::changes).code, row.when_it_changes);
  // A client is told why there is no room, and not what Redis said.
  if (row.when_it_creates == full) {
    EXPECT_EQ(error_of(row.text, Deed::creates).detail,
              "the store has no room for new transactions now");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RedisAnswer,
    testing::Values(
        TroubleCase{"Loading", "LOADING Redis is loading the dataset in memory",
                    RedisTrouble::not_now, busy, busy},
        TroubleCase{"Busy", "BUSY Redis is busy running a script.", RedisTrouble::not_now, busy,
                    busy},
        TroubleCase{"ReadOnly", "READONLY You can't write against a read only replica.",
                    RedisTrouble::elsewhere, busy, busy},
        TroubleCase{"ReadOnlyInAScript",
                    "ERR Error running script (call to f_1): @user_script:9: -READONLY You can't "
                    "write against a read only replica.",
                    RedisTrouble::elsewhere, busy, busy},
        TroubleCase{"Full", "OOM command not allowed when used memory > 'maxmemory'.",
                    RedisTrouble::full, full, busy},
        TroubleCase{"FullInAScript",
                    "ERR Error running script (call to f_1): @user_script:9: @user_script: 9: -OOM "
                    "command not allowed when used memory > 'maxmemory'.",
                    RedisTrouble::full, full, busy},
        TroubleCase{"Moved", "MOVED 3999 10.0.0.2:6381", RedisTrouble::elsewhere, busy, busy},
        TroubleCase{"Ask", "ASK 3999 10.0.0.2:6381", RedisTrouble::not_now, busy, busy},
        TroubleCase{"ClusterDown", "CLUSTERDOWN The cluster is down", RedisTrouble::not_now, busy,
                    busy},
        TroubleCase{"MasterDown", "MASTERDOWN Link with MASTER is down", RedisTrouble::elsewhere,
                    busy, busy},
        TroubleCase{"NoScript", "NOSCRIPT No matching script.", RedisTrouble::no_script, busy,
                    busy},
        TroubleCase{"TryAgain", "TRYAGAIN Multiple keys request during rehashing of slot",
                    RedisTrouble::not_now, busy, busy},
        TroubleCase{"NoReplicas", "NOREPLICAS Not enough good replicas to write. script: 1f, on",
                    RedisTrouble::no_replicas, busy, busy},
        TroubleCase{"NoDisk", "MISCONF Redis is configured to save RDB snapshots, but it's",
                    RedisTrouble::no_disk, busy, busy},
        TroubleCase{"NoClients", "ERR max number of clients reached", RedisTrouble::not_now, busy,
                    busy},
        TroubleCase{"NoPassword", "NOAUTH Authentication required.", RedisTrouble::no_entry, busy,
                    busy},
        TroubleCase{"WrongPassword", "WRONGPASS invalid username-password pair or user is disabled",
                    RedisTrouble::no_entry, busy, busy},
        TroubleCase{"UnexpectedPassword",
                    "ERR AUTH <password> called without any password configured for the default",
                    RedisTrouble::no_entry, busy, busy},
        TroubleCase{"ProtectedMode", "DENIED Redis is running in protected mode because",
                    RedisTrouble::no_entry, busy, busy},
        TroubleCase{"NoRight", "NOPERM this user has no permissions to run the 'evalsha' command",
                    RedisTrouble::no_right, busy, busy},
        // The script may have written before.
        TroubleCase{"NoRightInAScript",
                    "ERR The user executing the script can't run this command or subcommand "
                    "script: 4e, on @user_script:1.",
                    RedisTrouble::no_right, failed, failed},
        TroubleCase{"NoRightInAScriptOfANewerVersion",
                    "ERR ACL failure in script: User dtm has no permissions to run the 'zadd'",
                    RedisTrouble::no_right, failed, failed},
        TroubleCase{"WrongType", "WRONGTYPE Operation against a key", RedisTrouble::other, failed,
                    failed}),
    [](const auto& row) { return row.param.name; });

TEST(RedisAnswerText, IsShownWithoutThePlaceInTheScript) {
  const Error error =
      error_of("NOREPLICAS Not enough. script: 5a, on @user_script:8.", Deed::reads);
  EXPECT_EQ(error.detail, "Redis: NOREPLICAS Not enough.");
}

TEST(RedisAnswerText, MovedNamesAServer) {
  EXPECT_EQ(moved_to("MOVED 3999 10.0.0.2:6381"), "10.0.0.2:6381");
  EXPECT_EQ(moved_to("MOVED 3999 :6381"), ":6381");
  EXPECT_EQ(moved_to("MOVED 3999 2001:db8::1:6381"), "[2001:db8::1]:6381");
  EXPECT_EQ(moved_to("MOVED 3999"), std::nullopt);
  EXPECT_EQ(moved_to("ASK 3999 10.0.0.2:6381"), std::nullopt);
}

TEST(RedisServerText, IsAHostAndAPort) {
  const RedisServer by_default{"h", 6379}, own{"h", 7000}, six{"::1", 7000};
  EXPECT_EQ(parse_server("h", 6379).value(), by_default);
  EXPECT_EQ(parse_server("h:7000", 6379).value(), own);
  EXPECT_EQ(parse_server("[::1]:7000", 0).value(), six);
  for (const char* wrong : {"", "h", "h:", "h:0", "h:70000", "h:x", ":7000"}) {
    EXPECT_FALSE(parse_server(wrong, 0)) << wrong;
  }
}

TEST(RedisCommandText, IsAnArrayOfTexts) {
  std::string text;
  append_command(text, {"SET", "k", ""});
  EXPECT_EQ(text, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
  CommandWriter writer{2};
  writer.add("GET").add(-7);
  EXPECT_EQ(writer.take(), "*2\r\n$3\r\nGET\r\n$2\r\n-7\r\n");
}

TEST(RedisReply, IsReadFromPieces) {
  ReplyReader reader;
  ASSERT_TRUE(reader.feed("*2\r\n:7\r\n$3\r\na"));
  EXPECT_EQ(reader.next().value(), nullptr);
  using namespace std::string_view_literals;
  ASSERT_TRUE(reader.feed("\0b\r\n-OOM no\r\n"sv));
  const ReplyPtr first = reader.next().value();
  const Reply list{first.get()};
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].number(), 7);
  EXPECT_TRUE(list[2].is_nil());
  const ReplyPtr second = reader.next().value();
  EXPECT_TRUE(Reply{second.get()}.is_error());
  EXPECT_EQ(Reply{second.get()}.text(), "OOM no");
}

TEST(RedisReply, OfAnotherProtocolIsAnError) {
  ReplyReader reader;
  ASSERT_TRUE(reader.feed("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_FALSE(reader.next());
}

TEST(RecordJson, OfTheReferenceIsRead) {
  const auto branch = [](const std::string& id, const std::string& op, const std::string& status) {
    return R"({"id":0,"create_time":null,"update_time":null,"gid":"r2","url":"http://b/d",)"
           R"("bin_data":"e30=","branch_id":")" +
           id + R"(","op":")" + op + R"(","status":")" + status + R"("})";
  };
  const std::string cancel = branch("01", "cancel", "prepared");
  const std::string confirm = branch("01", "confirm", "succeed");
  const std::string second = branch("02", "cancel", "prepared");
  const auto trans = trans_of(
      R"({"id":0,"create_time":"2026-11-23T05:46:42.198431355Z",)"
      R"("update_time":"2026-11-23T05:46:43+08:00","gid":"r2","trans_type":"tcc",)"
      R"("status":"succeed","protocol":"http","finish_time":"2026-11-23T05:46:44Z",)"
      R"("options":"{\"wait_result\":true,\"concurrent\":false,\"retry_count\":2}",)"
      R"("next_cron_interval":10,"next_cron_time":"2026-11-23T05:46:52Z","wait_result":true,)"
      R"("ext_data":"{\"headers\":{\"x\":\"y\"}}","concurrent":false})",
      {cancel, confirm, second});
  ASSERT_TRUE(trans) << trans.error().detail;
  EXPECT_EQ(trans->gid.str(), "r2");
  EXPECT_EQ(trans->type, TransType::tcc);
  EXPECT_EQ(trans->status, TransStatus::succeed);
  EXPECT_TRUE(trans->options.wait_result);
  EXPECT_EQ(trans->retry_count, 2);
  EXPECT_EQ(trans->options.branch_headers.at("x"), "y");
  EXPECT_EQ(trans->create_time.time_since_epoch().count(), 1795412802198431355);
  EXPECT_EQ(trans->update_time.time_since_epoch(), std::chrono::seconds{1795412803 - 8 * 3600});
  EXPECT_EQ(trans->next_cron_interval, std::chrono::seconds{10});
  EXPECT_EQ(trans->payloads, (std::vector<std::string>{"{}", "{}"}));
  ASSERT_EQ(trans->branches.size(), 3U);
  EXPECT_EQ(trans->branches[1].payload, 0U);
  EXPECT_EQ(trans->branches[2].payload, 1U);
  EXPECT_EQ(trans->branches[1].status, BranchStatus::succeed);
  EXPECT_EQ(trans->branches[0].create_time, std::nullopt);
}

TEST(RecordJson, IsWrittenAsTheReferenceReadsIt) {
  Transaction trans = sample_saga("g1");
  trans.options.branch_headers = {{"x", "\"1\""}};
  EXPECT_EQ(record_of(trans, "cc-n", "cc-n", 7),
            R"({"id":0,"create_time":"2023-11-14T22:13:20Z","gid":"g1","trans_type":"saga",)"
            R"("protocol":"grpc","options":)"
            R"("{\"wait_result\":true,\"timeout_to_fail\":35,\"branch_headers\":)"
            R"({\"x\":\"\\\"1\\\"\"},\"concurrent\":false}",)"
            R"("custom_data":"{\"concurrent\":false}","next_cron_interval":10,)"
            R"("next_cron_time":"2023-11-14T22:13:30Z","wait_result":true,)"
            R"("timeout_to_fail":35,"branch_headers":{"x":"\"1\""},"concurrent":false,)"
            R"("concerto":{"payloads":2,"submit_time":"2023-11-14T22:13:20Z", "node":"cc-n",)"
            R"("change":7},"update_time":"2023-11-14T22:13:20Z","status":"submitted",)"
            R"("owner":"cc-n"})");
  trans.payloads[0] = "{}";
  EXPECT_EQ(branch_records_of(trans).front(),
            R"({"id":0,"create_time":"2023-11-14T22:13:20Z","gid":"g1",)"
            R"("url":"http://bank/compensate","branch_id":"01","op":"compensate",)"
            R"("bin_data":"e30=","concerto_payload":0, "update_time":null,"status":"prepared"})");
}

TEST(RecordJson, IsReadAsItWasWritten) {
  Transaction trans = sample_saga("g1");
  trans.custom_data = "line\nand \x01 \"quote\" \\";
  trans.retry_count = 3;
  trans.waits = true;
  trans.rollback_reason = "no money";
  trans.create_time += std::chrono::nanoseconds{123'456'700};
  const auto branches = branch_records_of(trans);
  const auto read = trans_of(record_of(trans, "", "cc-n", 1), {branches.begin(), branches.end()});
  ASSERT_TRUE(read) << read.error().detail;
  EXPECT_EQ(*read, trans);
}

TEST(RecordJson, ThatIsNoRecordIsDamaged) {
  for (const char* wrong :
       {"", "[]", "{", R"({"gid":"g"})", R"({"trans_type":"saga"})", R"({"status":"prepared"})",
        R"({"trans_type":"saga","status":"prepared","concerto":{"payloads":-1}})"}) {
    const auto read = trans_of(wrong, {});
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().code, EngineErrc::store_damaged);
  }
}

TEST(RecordTime, IsReadWithAnyOffset) {
  const WallTime time{std::chrono::seconds{1'700'000'000}};
  EXPECT_EQ(parse_time("2023-11-14T22:13:20Z"), time);
  EXPECT_EQ(parse_time("2023-11-15T06:13:20.5+08:00"), time + std::chrono::milliseconds{500});
  EXPECT_EQ(parse_time("2023-11-14T19:43:20-02:30"), time);
  EXPECT_EQ(time_json(time + std::chrono::milliseconds{250}), "\"2023-11-14T22:13:20.25Z\"");
  for (const char* wrong : {"", "0001-01-01T00:00:00Z", "2023-11-14", "2023-13-14T22:13:20Z",
                            "2023-11-14T22:13:20", "2023-11-14T22:13:20Zx"}) {
    EXPECT_EQ(parse_time(wrong), std::nullopt) << wrong;
  }
}

TEST(RedisPromiseTest, AServerThatSyncsEachChangePromisesMost) {
  RedisFacts facts;
  facts.read_info("# Server\r\nredis_version:7.0.15\r\naof_enabled:1\r\nconnected_slaves:0\r\n");
  facts.append_fsync = "always";
  const RedisPromise promise = promise_of(facts, {});
  EXPECT_THAT(promise.warnings, IsEmpty());
  EXPECT_EQ(promise.text, "Redis 7.0.15: acknowledged changes survive a crash");
}

TEST(RedisPromiseTest, EachWeaknessIsNamed) {
  RedisFacts facts;
  facts.read_info(
      "redis_version:7.0.15\r\naof_enabled:0\r\nconnected_slaves:2\r\nmaxmemory:1000\r\n"
      "maxmemory_policy:allkeys-lru\r\n");
  RedisPromise promise = promise_of(facts, {});
  ASSERT_THAT(promise.warnings, SizeIs(3));
  EXPECT_THAT(promise.warnings[0], HasSubstr("appendonly is no"));
  EXPECT_THAT(promise.warnings[1], HasSubstr("failover"));
  EXPECT_THAT(promise.warnings[2], HasSubstr("allkeys-lru"));
  facts.append_only = true;
  facts.append_fsync = "everysec";
  promise = promise_of(facts, {1, false});
  ASSERT_THAT(promise.warnings, SizeIs(2));
  EXPECT_THAT(promise.warnings[0], HasSubstr("two seconds"));
  promise = promise_of(facts, {1, true});
  ASSERT_THAT(promise.warnings, SizeIs(1));
  EXPECT_THAT(promise.warnings[0], HasSubstr("allkeys-lru"));
}

TEST(RedisOptionsTest, FollowTheSettings) {
  StoreSettings settings;
  settings.driver = "redis";
  settings.database.host = "r1";
  settings.database.port = 6379;
  EXPECT_EQ(redis_options(settings)->access.setup, RedisSetup::standalone);
  settings.database.host = "r1:7000,r2:7001";
  EXPECT_EQ(redis_options(settings)->access.setup, RedisSetup::cluster);
  EXPECT_EQ(redis_options(settings)->access.servers.size(), 2U);
  settings.redis.prefix = "dtm";
  const auto no_tag = redis_options(settings);
  ASSERT_FALSE(no_tag);
  EXPECT_THAT(no_tag.error().detail, HasSubstr("hash tag"));
  settings.redis.sentinel_master = "main";
  EXPECT_EQ(redis_options(settings)->access.setup, RedisSetup::sentinel);
  settings.database.host = "";
  EXPECT_FALSE(redis_options(settings));
}

}  // namespace
}  // namespace concerto::persist
