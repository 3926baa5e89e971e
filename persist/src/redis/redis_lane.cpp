#include "redis_lane.hpp"

#include <algorithm>
#include <iterator>
#include <pthread.h>
#include <signal.h>
#include <utility>

#include <concerto/base/start_thread.hpp>
#include <concerto/engine/error.hpp>

#include "redis_lane_answers.hpp"

namespace concerto::persist {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

/// For how long a lane that stops tries to learn what became of its changes.
constexpr milliseconds stop_limit{5'000};
/// After so much time without a command the server is asked whether it is there.
constexpr milliseconds idle_limit{2'000};
/// How often it is asked whether it takes changes again, whatever else it is asked.
constexpr milliseconds refusal_look{1'000};
/// How long one WAIT lasts before the lane looks whether it has to stop.
constexpr std::string_view wait_ms = "500";

/// OpenSSL writes to sockets without MSG_NOSIGNAL.
void block_broken_pipe_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

RedisLane::RedisLane(const RedisAccess& access, std::shared_ptr<RedisTlsContext> tls,
                     ReplicaWait wait, StoreProbe& probe, RedisStanding& standing)
    : wait_(wait),
      trial_(trial_command(access.prefix)),
      probe_(probe),
      standing_(standing),
      door_(access, std::move(tls)) {}

RedisLane::~RedisLane() {
  stop();
}

Result<> RedisLane::enter() {
  auto opened = door_.connect_for_changes();
  const bool is_refused = !opened && opened.error().code == EngineErrc::store_unavailable;
  if (is_refused) return std::move(opened).error();
  const Result<> here = opened ? use(std::move(*opened)) : Result<>(std::move(opened).error());
  if (!here) set_away(here.error());
  return ok();
}

Result<> RedisLane::start() {
  return start_thread(thread_, "for a connection to Redis", [this] { run(); });
}

void RedisLane::give_up_after(std::chrono::nanoseconds time) {
  const MutexLock lock(mutex_);
  gives_up_at_ = SteadyClock::now() + std::max(time, std::chrono::nanoseconds::zero());
}

void RedisLane::begin_stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
}

void RedisLane::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
}

Async<ReplyPtr> RedisLane::ask(std::string command, Deed deed) {
  const Executor executor = co_await asio::this_coro::executor;
  auto start = [this, &command, deed, &executor](Completion<Answer> completion) {
    ask_then(std::move(command), deed, executor, std::move(completion));
  };
  co_return co_await suspend<Answer>(start);
}

void RedisLane::ask_then(std::string command, Deed deed, const Executor& executor,
                         Completion<Result<ReplyPtr>> completion) {
  auto ask = std::make_unique<Ask>();
  ask->command = std::move(command);
  ask->deed = deed;
  ask->executor = executor;
  ask->completion = std::move(completion);
  if (Result<> queued = queue(ask); !queued) Answers{}.add(*ask, std::move(queued).error());
}

Result<> RedisLane::put(std::string command, Deed deed) {
  auto ask = std::make_unique<Ask>();
  ask->command = std::move(command);
  ask->deed = deed;
  return queue(ask);
}

Result<ReplyPtr> RedisLane::ask_and_wait(std::string command, Deed deed) {
  auto ask = std::make_unique<Ask>();
  ask->command = std::move(command);
  ask->deed = deed;
  ask->promise = std::make_shared<std::promise<Answer>>();
  auto answer = ask->promise->get_future();
  CONCERTO_CHECK(queue(ask));
  return answer.get();
}

/// Takes the command, or leaves it with an error.
Result<> RedisLane::queue(AskPtr& ask) {
  {
    const MutexLock lock(mutex_);
    if (stopping_) return make_error(EngineErrc::store_unavailable, "the store is closed");
    if (away_) return not_made(*away_);
    // A stop has no time to find out on each lane that the server is silent.
    if (gives_up_at_ && standing_.is_away()) return not_made("Redis is away");
    const bool fits =
        queue_.size() < queue_asks_max && queued_bytes_ + ask->command.size() <= queue_bytes_max;
    if (!fits && ask->deed == Deed::creates) {
      probe_.refused.fetch_add(1, std::memory_order_relaxed);
      return make_error(Errc::overloaded, "the store has no room for new transactions now");
    }
    queued_bytes_ += ask->command.size();
    probe_.queued_bytes.fetch_add(ask->command.size(), std::memory_order_relaxed);
    probe_.queued_changes.fetch_add(1, std::memory_order_relaxed);
    queue_.push_back(std::move(ask));
  }
  arrived_.notify_one();
  return ok();
}

void RedisLane::run() {
  block_broken_pipe_signal();
  while (wait_for_work()) work();
  give_up();
  refuse_all(not_made("the store is closed"));
}

/// Waits until there is a group, or until it is time to look for a connection. False when the lane
/// ends.
bool RedisLane::wait_for_work() {
  UniqueLock lock(mutex_);
  for (;;) {
    const auto now = SteadyClock::now();
    if (gives_up_at_ && now >= *gives_up_at_) {
      give_up();
      if (away_ && !stopping_) {  // The end is near: it need not wait for one more connection.
        arrived_.wait_for(lock, idle_limit);
        continue;
      }
    }
    if (stopping_ && !stops_at_) stops_at_ = now + stop_limit;
    const bool is_over = stops_at_ && now >= *stops_at_;
    if (stopping_ && (is_over || (queue_.empty() && group_.empty()))) return false;
    if (backoff_.count() > 0) {
      const milliseconds time = std::exchange(backoff_, milliseconds{0});
      const bool was_stopping = stopping_;
      while (!(stopping_ && !was_stopping) && SteadyClock::now() < now + time) {
        arrived_.wait_for(lock, now + time - SteadyClock::now());
      }
      return true;
    }
    if (!group_.empty()) return true;
    if (!queue_.empty()) {
      take_group();
      return true;
    }
    if (!arrived_.wait_for(lock, idle_limit)) return true;
  }
}

void RedisLane::take_group() {
  std::size_t bytes = 0;
  while (!queue_.empty() && group_.size() < group_asks_max && bytes < group_bytes_max) {
    bytes += queue_.front()->command.size();
    group_.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queued_bytes_ -= bytes;
  probe_.queued_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  probe_.queued_changes.fetch_sub(group_.size(), std::memory_order_relaxed);
}

void RedisLane::work() {
  if (group_.empty() ||
      (standing_.has_refused() && SteadyClock::now() - looked_at_ >= refusal_look)) {
    if (Result<> there = look(); !there) return refuse_all(there.error());
  }
  if (Result<> here = connect(); !here) {
    set_away(here.error());
    return refuse_all(here.error());
  }
  if (group_.empty()) return;
  Answers answers;
  const auto begin = SteadyClock::now();
  probe_.add_group(group_.size());
  probe_.groups.fetch_add(1, std::memory_order_relaxed);
  exchange(answers);
  probe_.add_sync(SteadyClock::now() - begin);
  if (leave_) connection_.reset();
  leave_ = false;
}

/// Whether the server is still there and takes changes, for `health`. An error if it is silent.
Result<> RedisLane::look() {
  looked_at_ = SteadyClock::now();
  const std::uint64_t refusals = standing_.look();
  if (!connection_) return ok();
  const auto reply = connection_->ask_written(trial_);
  if (!reply) {
    connection_.reset();
    if (!is_silence(reply.error())) return ok();  // A new connection tells.
    set_away(reply.error());
    return reply.error();
  }
  const Reply answer{reply->get()};
  if (!answer.is_error()) {
    standing_.made(refusals);
    return ok();
  }
  note(answer.text(), Deed::changes);
  if (std::exchange(leave_, false)) connection_.reset();
  return ok();
}

Result<> RedisLane::connect() {
  if (connection_) return ok();
  CONCERTO_TRY(auto opened, door_.connect());
  CONCERTO_CHECK(use(std::move(opened)));
  set_back();
  return ok();
}

/// Goes on with a new connection if the server has its replicas: one that was promoted a moment ago
/// may have none, and would make changes that it cannot confirm.
Result<> RedisLane::use(std::unique_ptr<RedisConnection> opened) {
  connection_ = std::move(opened);
  if (!wait_.is_needed()) return ok();
  const Result<std::string> lacking = ask_replicas();
  if (lacking && lacking->empty()) return ok();
  connection_.reset();
  return lacking ? not_made(*lacking) : lacking.error();
}

/// Sends the group and reads the answers. Afterwards `group_` has the changes whose outcome is not
/// known yet.
void RedisLane::exchange(Answers& answers) {
  out_.clear();
  for (const AskPtr& ask : group_) out_ += ask->command;
  probe_.bytes.fetch_add(out_.size(), std::memory_order_relaxed);
  if (Result<> sent = connection_->send(out_); !sent) return lost(sent.error(), answers);
  std::vector<AskPtr> open, made;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    auto reply = connection_->receive();
    if (!reply) {
      // What has an answer waits for its replicas once more, together with the others.
      for (AskPtr& ask : made) open.push_back(std::move(ask));
      std::move(group_.begin() + static_cast<std::ptrdiff_t>(i), group_.end(),
                std::back_inserter(open));
      group_ = std::move(open);
      return lost(reply.error(), answers);
    }
    if (judge(*group_[i], std::move(*reply), answers)) continue;
    (group_[i]->reply ? made : open).push_back(std::move(group_[i]));
  }
  group_ = std::move(made);
  if (!group_.empty()) {
    if (Result<> known = wait_for_replicas(); !known) {
      group_.insert(group_.begin(), std::move_iterator(open.begin()),
                    std::move_iterator(open.end()));
      return lost(known.error(), answers);
    }
    for (const AskPtr& ask : group_) answers.add(*ask, std::move(ask->reply));
  }
  probe_.changes.fetch_add(group_.size(), std::memory_order_relaxed);
  group_ = std::move(open);
}

/// Answers the command if its outcome is known. Otherwise the command is sent again; or it has its
/// reply, and the replicas are asked.
bool RedisLane::judge(Ask& ask, ReplyPtr reply, Answers& answers) {
  const Reply answer{reply.get()};
  if (!answer.is_error()) {
    if (changes(ask.deed) && wait_.is_needed()) {
      ask.reply = std::move(reply);
      return false;
    }
    if (changes(ask.deed)) probe_.changes.fetch_add(1, std::memory_order_relaxed);
    answers.add(ask, std::move(reply));
    return true;
  }
  const RedisTrouble trouble = note(answer.text(), ask.deed);
  if (trouble == RedisTrouble::no_script) return false;
  // A script looks whether its change was made before it needs memory or fails.
  const bool is_known =
      !ask.was_lost || trouble == RedisTrouble::full || trouble == RedisTrouble::other;
  if (!is_known) {
    backoff_ = backoff_min;
    return false;
  }
  if (changes(ask.deed)) standing_.count_refused(trouble);
  if (trouble == RedisTrouble::full && ask.deed == Deed::creates) {
    probe_.refused.fetch_add(1, std::memory_order_relaxed);
  }
  answers.add(ask, error_of(answer.text(), ask.deed));
  return true;
}

/// Takes what an error says about the server.
RedisTrouble RedisLane::note(std::string_view error_text, Deed deed) {
  const RedisTrouble trouble = trouble_of(error_text);
  standing_.refuses(error_text, deed);
  // A new connection finds the master, or says what is wrong; and it loads the scripts.
  leave_ = leave_ || trouble == RedisTrouble::elsewhere || trouble == RedisTrouble::no_entry ||
           trouble == RedisTrouble::no_script;
  if (const auto moved = moved_to(error_text); moved && moved->front() != ':') {
    if (auto server = parse_server(*moved, 0)) door_.try_first(*server);
  }
  return trouble;
}

Result<> RedisLane::wait_for_replicas() {
  bool told = false;
  for (;;) {
    CONCERTO_TRY(const std::string lacking, ask_replicas());
    if (lacking.empty()) break;
    if (!std::exchange(told, true)) set_away(not_made(lacking));
    const MutexLock lock(mutex_);
    if (stopping_ || (gives_up_at_ && SteadyClock::now() >= *gives_up_at_)) {
      return not_made(lacking);
    }
  }
  if (told) set_back();
  return ok();
}

/// Waits for a while until enough replicas have what this connection has sent. The value says what
/// is lacking then; empty: nothing.
Result<std::string> RedisLane::ask_replicas() {
  const std::string replicas = std::to_string(wait_.replicas);
  auto reply = wait_.on_disk ? connection_->ask({"WAITAOF", "1", replicas, wait_ms})
                             : connection_->ask({"WAIT", replicas, wait_ms});
  if (!reply) return std::move(reply).error();
  const Reply answer{reply->get()};
  if (answer.is_error()) return not_made("Redis: " + std::string(answer.text()));
  const bool is_synced = !wait_.on_disk || answer[0].number().value_or(0) >= 1;
  if (!is_synced) return "Redis has not yet synced the changes to its append-only file";
  const Reply count = wait_.on_disk ? answer[1] : answer;
  if (count.number().value_or(0) >= wait_.replicas) return std::string();
  return "fewer replicas than " + replicas + " have the changes";
}

}  // namespace concerto::persist
