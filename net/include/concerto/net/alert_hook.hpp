#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <concerto/core/observer.hpp>
#include <concerto/core/task_group.hpp>
#include <concerto/net/http_client.hpp>

namespace concerto::net {

struct AlertOptions {
  std::string url;               ///< empty: nobody is told
  std::int64_t retry_limit = 3;  ///< trouble with fewer retries is not worth an alert
  std::chrono::seconds timeout{3};
};

/// Tells a web hook of transactions that keep failing (protocol page 04, section 8), beside the
/// processing and never in its way: too many alerts at a time are dropped and logged. Of one
/// shard; close it before its client.
class AlertHook {
 public:
  static constexpr std::size_t in_flight_max = 64;

  /// The referenced objects outlive the hook.
  AlertHook(Executor executor, Timers& timers, HttpClient& client, Observer& observer,
            AlertOptions options);

  void report(const BranchTrouble& trouble);

  /// Ends the alerts that are on their way.
  Task<void> close() { return tasks_.close(); }

 private:
  Task<void> send(std::string gid, std::string body);

  Timers& timers_;
  HttpClient& client_;
  Observer& observer_;
  const AlertOptions options_;
  TaskGroup tasks_;
};

}  // namespace concerto::net
