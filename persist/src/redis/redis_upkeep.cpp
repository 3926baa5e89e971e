#include "redis_upkeep.hpp"

#include <utility>

#include <concerto/base/start_thread.hpp>
#include <concerto/engine/error.hpp>

#include "record_json.hpp"
#include "scripts.hpp"

namespace concerto::persist {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds interval = std::chrono::minutes{10};
/// Until there is an answer of the server.
constexpr milliseconds interval_before_answer = std::chrono::seconds{1};
/// After each command, so that Redis has time for others.
constexpr milliseconds pause_time{2};
constexpr std::string_view scanned_at_once = "200";
constexpr std::int64_t looked_at_at_once = 200;

std::string command_of(std::initializer_list<std::string_view> words) {
  std::string command;
  append_command(command, words);
  return command;
}

/// The gid of a key P_g_<gid>.
std::string_view gid_of(std::string_view key, const RedisKeys& keys) {
  return key.substr(keys.record("").size());
}

}  // namespace

Result<> RedisUpkeep::start() {
  return start_thread(thread_, "for the upkeep of Redis", [this] { run(); });
}

void RedisUpkeep::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::vector<std::string> RedisUpkeep::warnings() const {
  const MutexLock lock(mutex_);
  return promise_ ? promise_->warnings : std::vector<std::string>{};
}

/// False if it is time to stop.
bool RedisUpkeep::pause(milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  UniqueLock lock(mutex_);
  while (!stopping_ && std::chrono::steady_clock::now() < end) {
    stopped_.wait_for(lock, end - std::chrono::steady_clock::now());
  }
  return !stopping_;
}

void RedisUpkeep::run() {
  bool knows = false;
  milliseconds next{0};
  while (pause(next)) {
    if (Result<> done = run_once(); !done && done.error().code != EngineErrc::store_busy &&
                                    done.error().code != EngineErrc::store_unavailable) {
      observer_.log(LogLevel::warn, "", "the upkeep of Redis ends early: " + done.error().detail);
    }
    {
      const MutexLock lock(mutex_);
      knows = promise_.has_value();
    }
    next = knows ? interval : interval_before_answer;
  }
}

/// Whether no key has the prefix. A large server is not searched for that: it counts as not empty.
Result<bool> RedisUpkeep::is_empty() {
  constexpr std::string_view searched_max = "1000";
  CONCERTO_TRY(
      const ReplyPtr own,
      lane_.ask_and_wait(command_of({"EXISTS", keys_.all(), keys_.schedule()}), Deed::reads));
  if (Reply{own.get()}.number().value_or(1) != 0) return false;
  CONCERTO_TRY(const ReplyPtr found,
               lane_.ask_and_wait(
                   command_of({"SCAN", "0", "MATCH", keys_.pattern("_"), "COUNT", searched_max}),
                   Deed::reads));
  const Reply answer{found.get()};
  return answer[0].text() == "0" && answer[1].size() == 0;
}

/// Says once where the store is, and whether it is new.
Result<> RedisUpkeep::say_opened() {
  if (has_said_opened_) return ok();
  CONCERTO_TRY(const bool is_new, is_empty());
  if (has_said_opened_.exchange(true)) return ok();
  observer_.log(LogLevel::info, "",
                (is_new ? "opened a new store: " : "opened the store: ") + place_);
  return ok();
}

void RedisUpkeep::look_at_server() {
  ignore_error(say_opened(), "said when the server is there");
  RedisFacts facts;
  // Some installations do not let clients ask this. If the server is away, INFO fails, too.
  const auto config = lane_.ask_and_wait(command_of({"CONFIG", "GET", "appendfsync"}), Deed::reads);
  const auto info = lane_.ask_and_wait(command_of({"INFO"}), Deed::reads);
  if (!info) return;
  facts.read_info(Reply{info->get()}.text());
  if (config && Reply{config->get()}.size() == 2)
    facts.append_fsync = Reply{config->get()}[1].text();
  RedisPromise promise = promise_of(facts, wait_);
  const MutexLock lock(mutex_);
  if (!promise_ || promise_->text != promise.text) {
    observer_.log(promise.warnings.empty() ? LogLevel::info : LogLevel::warn, "", promise.text);
  }
  promise_ = std::move(promise);
}

Result<> RedisUpkeep::run_once() {
  look_at_server();
  CONCERTO_CHECK(index_records());
  for (const std::string& part : {keys_.all(), keys_.open(), keys_.failed()}) {
    CONCERTO_CHECK(forget_expired(part));
  }
  return ok();
}

Result<> RedisUpkeep::index_records() {
  std::string cursor = "0";
  do {
    CONCERTO_TRY(const ReplyPtr reply,
                 lane_.ask_and_wait(command_of({"SCAN", cursor, "MATCH", keys_.pattern("_g_"),
                                                "COUNT", scanned_at_once}),
                                    Deed::reads));
    const Reply answer{reply.get()};
    cursor = answer[0].text();
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < answer[1].size(); ++i) keys.emplace_back(answer[1][i].text());
    CONCERTO_CHECK(index(keys));
  } while (cursor != "0" && !cursor.empty() && pause(pause_time));
  return ok();
}

/// Puts the records of these keys into the index that are not there.
Result<> RedisUpkeep::index(const std::vector<std::string>& keys) {
  if (keys.empty()) return ok();
  // Records are larger than places, so only those are read that have no place.
  CommandWriter places{3 + 1 + keys.size()};
  places.add("EVALSHA").add(script(Script::unindexed).sha).add(1).add(keys_.all());
  for (const std::string& key : keys) places.add(gid_of(key, keys_));
  CONCERTO_TRY(const ReplyPtr missing, lane_.ask_and_wait(places.take(), Deed::reads));
  const Reply gids{missing.get()};
  for (std::size_t i = 0; i < gids.size(); ++i) {
    const std::string_view gid = gids[i].text();
    const std::string load =
        command_of({"EVALSHA", script(Script::load).sha, "3", keys_.record(gid),
                    keys_.branches(gid), keys_.status(gid)});
    CONCERTO_TRY(const ReplyPtr reply, lane_.ask_and_wait(load, Deed::reads));
    const Reply answer{reply.get()};
    if (answer.size() == 0) continue;
    const auto trans = trans_of(answer[0].text(), {});
    if (answer.size() == 1 || !trans) {
      // Without a place no list shows the record.
      const std::string why =
          answer.size() == 1 ? std::string(answer[0].text()) : trans.error().detail;
      damaged_.trans(gid, why);
      continue;
    }
    const auto place = std::chrono::floor<std::chrono::microseconds>(trans->create_time);
    const std::string text =
        std::to_string(std::max<std::int64_t>(place.time_since_epoch().count(), 1));
    std::string command = command_of({"EVALSHA", script(Script::index).sha, "3", keys_.all(),
                                      keys_.open(), keys_.failed(), keys_.prefix(), gid, text});
    CONCERTO_CHECK(lane_.ask_and_wait(std::move(command), Deed::changes));
  }
  return ok();
}

/// Goes through a part of the index from the oldest on.
Result<> RedisUpkeep::forget_expired(const std::string& part) {
  std::string from = "-inf";
  do {
    CONCERTO_TRY(const ReplyPtr reply,
                 lane_.ask_and_wait(command_of({"ZRANGEBYSCORE", part, from, "+inf", "WITHSCORES",
                                                "LIMIT", "0", std::to_string(looked_at_at_once)}),
                                    Deed::reads));
    const Reply answer{reply.get()};
    const std::size_t count = answer.size() / 2;
    if (count == 0) return ok();
    CommandWriter command{3 + 4 + 1 + count};
    command.add("EVALSHA").add(script(Script::forget).sha).add(4);
    command.add(keys_.all()).add(keys_.open()).add(keys_.failed()).add(keys_.schedule());
    command.add(keys_.prefix());
    for (std::size_t i = 0; i < count; ++i) command.add(answer[2 * i].text());
    CONCERTO_TRY(const ReplyPtr returned, lane_.ask_and_wait(command.take(), Deed::changes));
    const Reply gids{returned.get()};
    for (std::size_t i = 0; i < gids.size(); ++i) {
      observer_.log(LogLevel::warn, gids[i].text(),
                    "was unfinished and not in the schedule; it is due now");
    }
    from = "(" + std::string(answer[2 * count - 1].text());
  } while (pause(pause_time));
  return ok();
}

}  // namespace concerto::persist
