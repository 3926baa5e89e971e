#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hiredis/hiredis.h>

#include <concerto/barrier/redis.hpp>

namespace concerto {
namespace {

constexpr std::chrono::seconds expiry_max = std::chrono::years{100};

/// KEYS: the number, this op's key, the key of the op that it undoes. ARGV: the amount, the op that
/// it undoes or an empty text, the seconds after which the barrier's keys expire.
/// Redis does not take back what a script did before an error. So INCRBY, which can fail, is first.
constexpr std::string_view adjust_script = R"(
if redis.call('EXISTS', KEYS[2]) == 1 then return 'DUPLICATE' end
if ARGV[2] ~= '' and redis.call('EXISTS', KEYS[3]) == 0 then
  redis.call('SET', KEYS[2], 'op', 'EX', ARGV[3])
  redis.call('SET', KEYS[3], 'rollback', 'EX', ARGV[3])
  return 'EMPTY'
end
local v = redis.call('GET', KEYS[1])
if v == false or v + ARGV[1] < 0 then return 'FAILURE' end
redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], 'op', 'EX', ARGV[3])
return 'DONE'
)";

/// KEYS: the key of the msg's local work. ARGV: seconds as above.
constexpr std::string_view query_script = R"(
local v = redis.call('GET', KEYS[1])
if v == false then
  redis.call('SET', KEYS[1], 'rollback', 'EX', ARGV[1])
  v = 'rollback'
end
if v == 'rollback' then return 'FAILURE' end
return 'DONE'
)";

Error wrong(std::string why) {
  return make_error(BarrierErrc::wrong_state, "Redis: " + std::move(why));
}

/// Whether a reply to a command of the barrier can be read from the connection.
Result<> check(const Barrier& barrier, const redisContext* connection) {
  CONCERTO_CHECK(barrier.check(connection != nullptr));
  if (connection->err != 0) {
    return make_error(BarrierErrc::database_failed,
                      std::string("Redis: ") + static_cast<const char*>(connection->errstr));
  }
  if ((connection->flags & REDIS_BLOCK) == 0) return wrong("the connection does not block");
  return ok();
}

/// Returns the text that the script returns. `words`: the number of keys, keys and arguments.
Result<std::string> run_script(redisContext* connection, std::string_view script,
                               const std::vector<std::string>& words) {
  std::vector<const char*> texts{"EVAL", script.data()};
  std::vector<std::size_t> sizes{4, script.size()};
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  void* answer =
      redisCommandArgv(connection, static_cast<int>(texts.size()), texts.data(), sizes.data());
  const std::unique_ptr<void, decltype(&freeReplyObject)> owner(answer, &freeReplyObject);
  if (answer == nullptr) {
    return make_error(BarrierErrc::commit_unknown,
                      std::string("Redis: ") + static_cast<const char*>(connection->errstr));
  }
  const auto* reply = static_cast<const redisReply*>(answer);
  const std::string text(reply->str == nullptr ? "" : reply->str,
                         reply->str == nullptr ? 0 : reply->len);
  if (reply->type == REDIS_REPLY_ERROR) {
    return make_error(BarrierErrc::database_failed, "Redis: " + text);
  }
  const auto known = {"DONE", "EMPTY", "DUPLICATE", "FAILURE"};
  if (reply->type != REDIS_REPLY_STRING || std::ranges::find(known, text) == known.end()) {
    return wrong("'" + text +
                 "' is no reply to the barrier: the connection is within MULTI, or replies to "
                 "earlier commands were not read");
  }
  return text;
}

Result<std::string> seconds_text(std::chrono::seconds expiry) {
  if (expiry.count() <= 0 || expiry > expiry_max) {
    return make_error(Errc::invalid_request, "the expiry of a barrier's keys is out of range: " +
                                                 std::to_string(expiry.count()) + " seconds");
  }
  return std::to_string(expiry.count());
}

/// The SDK's script knows no `rollback` of a workflow, and both must do the same.
std::string_view undone_in_redis(const Barrier& barrier) {
  return barrier.op() == "rollback" ? std::string_view() : barrier.undone_op();
}

}  // namespace

Result<> redis_check_adjust_amount(Barrier& barrier, redisContext* connection, std::string_view key,
                                   std::int64_t amount, std::chrono::seconds barrier_expiry) {
  CONCERTO_CHECK(check(barrier, connection));
  const std::string number = barrier.take_number();
  CONCERTO_TRY(const std::string seconds, seconds_text(barrier_expiry));
  const std::string undone(undone_in_redis(barrier));
  const std::string prefix = barrier.gid() + "-" + barrier.branch_id() + "-";
  CONCERTO_TRY(
      const std::string answer,
      run_script(connection, adjust_script,
                 {"3", std::string(key), prefix + barrier.op() + "-" + number,
                  prefix + undone + "-" + number, std::to_string(amount), undone, seconds}));
  if (answer == "FAILURE") {
    return branch_failure("'" + std::string(key) + "' cannot change by " + std::to_string(amount));
  }
  if (answer == "DUPLICATE" && barrier.op() == "msg") {
    return make_error(BarrierErrc::duplicated,
                      "the local work of msg '" + barrier.gid() + "' was done or given up before");
  }
  return ok();
}

Result<> redis_query_prepared(const Barrier& barrier, redisContext* connection,
                              std::chrono::seconds barrier_expiry) {
  CONCERTO_CHECK(check(barrier, connection));
  CONCERTO_TRY(const std::string seconds, seconds_text(barrier_expiry));
  CONCERTO_TRY(const std::string answer,
               run_script(connection, query_script, {"1", barrier.gid() + "-00-msg-01", seconds}));
  if (answer == "FAILURE") {
    return branch_failure("the local work of msg '" + barrier.gid() + "' was not committed");
  }
  return ok();
}

}  // namespace concerto
