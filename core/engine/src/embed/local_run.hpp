#pragma once

#include <exception>
#include <map>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/strand.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/engine/local_branches.hpp>

namespace concerto {

/// One call of a function that does not run within the coordinator's own handler: it runs on the
/// embedder's executor, or is a coroutine. Has copies of what the call refers to, because the
/// coordinator does not wait for a coroutine that goes on after it was given up.
///
/// The first of an answer and a giving up ends the call. Made by std::make_shared.
class LocalRun : public std::enable_shared_from_this<LocalRun> {
 public:
  struct End {
    BranchReply reply;
    std::exception_ptr thrown;
  };

  LocalRun(std::shared_ptr<const LocalBranches> branches, const BranchCall& call,
           const asio::any_io_executor& user, Executor shard);

  /// Begins the call. `waiter` gets its end. On the shard.
  void start(Completion<End> waiter);
  /// Ends the call with Outcome::error, and cancels the coroutine. On the shard.
  void give_up(const char* why);

 private:
  void run_function(const LocalBranches::Function& function);
  void run_coroutine(const LocalBranches::Coroutine& coroutine);
  bool is_awaited();
  void end(End ended);

  std::shared_ptr<const LocalBranches> branches_;
  const std::string gid_, branch_id_, op_, url_, payload_;
  const std::map<std::string, std::string> headers_;
  LocalCall call_;
  asio::strand<asio::any_io_executor> strand_;  ///< of the coroutine and its cancellation
  asio::cancellation_signal cancel_;            ///< used on the strand
  Mutex mutex_;
  /// While it is true, the coordinator waits, so that the shard exists.
  bool is_awaited_ CONCERTO_GUARDED_BY(mutex_) = true;
  Executor shard_;
  Completion<End> waiter_;  ///< used on the shard
};

}  // namespace concerto
