#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>

#include "requests.hpp"
#include "shard_env.hpp"

namespace concerto {

/// Has many transactions of one shard tried now, several at a time, where each of them costs calls
/// to a store on a server. On the shard's thread.
class Resets {
 public:
  /// What became of the transactions.
  struct Tally {
    std::size_t count = 0;
    std::vector<Gid> passed_over;  ///< they have ended meanwhile, or cannot be read
    Result<> trouble = ok();       ///< an error that would meet all; the rest was not tried
  };

  Resets(ShardEnv& env, Requests& requests, TaskGroup& tasks)
      : requests_(requests), tasks_(tasks), ended_(env.ports.executor) {}

  Task<Tally> try_now(std::vector<Gid> gids, RequestContext context);

 private:
  struct Work {
    std::vector<Gid> left;
    Tally tally;
    std::size_t running = 0;
  };

  Task<void> run(std::shared_ptr<Work> work, RequestContext context);

  Requests& requests_;
  TaskGroup& tasks_;
  Notifier ended_;
};

/// Whether an error of one transaction would meet all other transactions too.
bool concerns_all(const error_code& code);

}  // namespace concerto
