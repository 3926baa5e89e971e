#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include <concerto/base/error.hpp>
#include <concerto/base/probe.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/transport/http_client.hpp>

namespace concerto::net {

struct AlertOptions {
  std::string url;               ///< empty: nobody is told
  std::int64_t retry_limit = 3;  ///< trouble with fewer retries is not worth an alert
  std::chrono::seconds timeout{3};
};

/// Whether alerts can be posted to `url`, as far as its text tells; empty: nobody is told. The
/// error's detail shows no secret of it.
[[nodiscard]] Result<> check_alert_url(std::string_view url);

/// What became of the alerts of one shard; written there, readable on any thread.
struct AlertProbe {
  Counter sent;  ///< taken by the hook
  Counter lost;  ///< refused by the hook, not delivered, or dropped as too many were on their way
};

/// Tells a web hook of transactions that keep failing (protocol page 04, section 8), beside the
/// processing and never in its way: too many alerts at a time are dropped.
///
/// The hook is told once of a transaction, its status, the branch that fails and how often its
/// pause was doubled: passes that change none of these are no news. An alert that is lost is sent
/// with the next pass that fails. Of one shard; close it before its client.
class AlertHook {
 public:
  static constexpr std::size_t in_flight_max = 64;
  /// Troubles that are remembered as told; of the older ones the hook may hear again.
  static constexpr std::size_t told_max = 20'000;
  /// A hook that is down leaves a line in the log at this interval, with a count.
  static constexpr std::chrono::seconds lines_interval{10};

  /// The referenced objects outlive the hook.
  AlertHook(Executor executor, Timers& timers, HttpClient& client, Observer& observer,
            AlertOptions options);

  void report(const BranchTrouble& trouble);

  /// Ends the alerts that are on their way.
  Task<void> close() { return tasks_.close(); }

  const AlertProbe& probe() const noexcept { return probe_; }
  std::size_t on_their_way() const noexcept { return tasks_.size(); }
  std::size_t told_count() const noexcept { return told_.size() + told_before_.size(); }

 private:
  /// The retry count at which each trouble was told last.
  using Told = std::unordered_map<std::string, std::int64_t>;

  Task<void> send(std::string gid, std::string trouble, std::int64_t level, std::string body);
  std::int64_t& told_level(const std::string& trouble);
  void note_lost(const std::string& gid, const std::string& trouble, std::int64_t level,
                 const std::string& why);

  Timers& timers_;
  HttpClient& client_;
  Observer& observer_;
  const AlertOptions options_;
  AlertProbe probe_;
  Told told_;
  Told told_before_;  ///< made when told_ was half full; forgotten when it is again
  SteadyTime next_line_ = SteadyTime::min();
  std::uint64_t lost_without_line_ = 0;
  TaskGroup tasks_;
};

}  // namespace concerto::net
