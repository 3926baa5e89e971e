#pragma once

#include <cstddef>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/persist/store_probe.hpp>

#include "redis_connection.hpp"
#include "redis_standing.hpp"

namespace concerto::persist {

/// What must be so before the answer of a change counts.
struct ReplicaWait {
  int replicas = 0;      ///< so many replicas have the change
  bool on_disk = false;  ///< it is synced there, and at the master (WAITAOF, of Redis 7.2)

  bool is_needed() const noexcept { return replicas > 0 || on_disk; }
};

/// A queue of commands and one connection to Redis, on a thread of its own. The thread writes
/// everything that waits as one group, reads the answers, and resumes the waiters; meanwhile the
/// next group gathers. Commands keep their order. So whoever reads a gid on the lane of its changes
/// sees every change that was queued before, also those for which nobody waits.
///
/// If the connection is lost, commands that were not sent end in store_busy. Changes that may have
/// been made are sent again on the next connection until there is an answer; the scripts know a
/// change that was made before. Until there is a connection again, new commands are refused at
/// once. Thread-safe.
class RedisLane {
 public:
  static constexpr std::size_t group_asks_max = 256;
  static constexpr std::size_t group_bytes_max = std::size_t{1} << 20;
  static constexpr std::size_t queue_asks_max = 65'536;
  static constexpr std::size_t queue_bytes_max = std::size_t{64} << 20;

  /// The time before a lost connection is tried again at first; it doubles up to a second.
  static constexpr std::chrono::milliseconds backoff_min{50};

  /// The references must outlive the lane.
  RedisLane(const RedisAccess& access, std::shared_ptr<RedisTlsContext> tls, ReplicaWait wait,
            StoreProbe& probe, RedisStanding& standing);
  ~RedisLane();
  RedisLane(const RedisLane&) = delete;
  RedisLane& operator=(const RedisLane&) = delete;

  /// Connects on the caller's thread, before `start`. If the server cannot be reached, the lane is
  /// away and goes on trying. Errors: store_unavailable, see RedisDoor.
  Result<> enter();
  /// Errors: overloaded.
  Result<> start();
  /// Takes no more commands, writes what is queued, then ends; `stop` waits for the end. Later
  /// commands are refused with store_unavailable.
  void begin_stop();
  void stop();

  /// A stop has begun: after `time` a change whose answer was lost ends as an unknown outcome.
  void give_up_after(std::chrono::nanoseconds time);

  /// Queues a command and awaits its answer, which is no error of Redis. Errors: those of
  /// `error_of`; store_busy; store_unavailable; overloaded if the queue has no room for a command
  /// that creates.
  Async<ReplyPtr> ask(std::string command, Deed deed);
  /// The same for who awaits several answers: `completion` gets the answer on `executor`, after
  /// this function has returned.
  void ask_then(std::string command, Deed deed, const Executor& executor,
                Completion<Result<ReplyPtr>> completion);
  /// Queues a command for which nobody waits.
  Result<> put(std::string command, Deed deed);
  /// The same as `ask`, for a thread that may block.
  Result<ReplyPtr> ask_and_wait(std::string command, Deed deed);

 private:
  using Answer = Result<ReplyPtr>;
  struct Ask {
    std::string command;
    Deed deed = Deed::reads;
    bool was_lost = false;             ///< it was sent, and the answer was lost
    std::optional<Executor> executor;  ///< with `completion`
    Completion<Answer> completion;
    std::shared_ptr<std::promise<Answer>> promise;
    ReplyPtr reply;  ///< waits for the replicas
  };
  using AskPtr = std::unique_ptr<Ask>;
  class Answers;

  Result<> queue(AskPtr& ask);
  void run();
  bool wait_for_work();
  void take_group() CONCERTO_REQUIRES(mutex_);
  void work();
  Result<> look();
  Result<> connect();
  void exchange(Answers& answers);
  bool judge(Ask& ask, ReplyPtr reply, Answers& answers);
  RedisTrouble note(std::string_view error_text, Deed deed);
  Result<> wait_for_replicas();
  Result<> use(std::unique_ptr<RedisConnection> opened);
  Result<std::string> ask_replicas();
  void lost(const Error& error, Answers& answers);
  void refuse_all(const Error& error);
  void give_up();
  void set_away(const Error& error);
  void set_back();

  const ReplicaWait wait_;
  const std::string trial_;
  StoreProbe& probe_;
  RedisStanding& standing_;

  mutable Mutex mutex_;
  ConditionVariable arrived_;
  std::deque<AskPtr> queue_ CONCERTO_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ CONCERTO_GUARDED_BY(mutex_) = 0;
  bool stopping_ CONCERTO_GUARDED_BY(mutex_) = false;
  std::optional<std::chrono::steady_clock::time_point> gives_up_at_ CONCERTO_GUARDED_BY(mutex_);
  /// Why there is no connection now; absent if there is one.
  std::optional<std::string> away_ CONCERTO_GUARDED_BY(mutex_);

  // Used by the lane's thread alone:
  RedisDoor door_;
  std::unique_ptr<RedisConnection> connection_;
  std::vector<AskPtr> group_;
  std::string out_;
  std::chrono::milliseconds backoff_{0};  ///< before the next work; 0: none
  std::chrono::milliseconds next_backoff_ = backoff_min;
  bool leave_ = false;  ///< the connection is not to be used any more
  std::chrono::steady_clock::time_point looked_at_{};
  std::optional<std::chrono::steady_clock::time_point> stops_at_;

  std::thread thread_;
};

}  // namespace concerto::persist
