#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/probe.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/transport/http_client.hpp>

namespace concerto::net {

struct AlertOptions {
  std::string url;               ///< empty: no alerts are sent
  std::int64_t retry_limit = 3;  ///< trouble with fewer retries makes no alert
  std::chrono::seconds timeout{3};
};

/// Checks from the text of `url` whether alerts can be posted there; an empty `url` means no
/// alerts. The error's detail shows no secret of the URL.
[[nodiscard]] CONCERTO_EXPORT Result<> check_alert_url(std::string_view url);

/// Counts the alerts of one shard. The shard writes it, and any thread may read it.
struct AlertProbe {
  Counter sent;  ///< accepted by the hook
  Counter lost;  ///< refused by the hook, not delivered, or dropped: too many were on their way
};

/// Tells a web hook about transactions in trouble (protocol page 04, section 8). Passes never wait
/// for the hook: when too many alerts are on their way, further ones are dropped.
///
/// The hook gets one alert for each combination of transaction, status, failing branch and number
/// of doublings of the interval; a pass that changes none of these makes no alert. A lost alert is
/// sent with the next pass that fails. Each shard has its own AlertHook; close it before its
/// client.
class CONCERTO_EXPORT AlertHook {
 public:
  static constexpr std::size_t in_flight_max = 64;
  /// How many alerts are remembered as sent. Older ones may be sent again.
  static constexpr std::size_t told_max = 20'000;
  /// While the hook is down, the log gets a line at this interval, with the number of lost alerts.
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
  /// The retry count in the last alert of each trouble.
  using Told = std::unordered_map<std::string, std::int64_t>;

  Task<void> send(std::string gid, std::string trouble, std::int64_t level, std::string body);
  std::int64_t& told_level(const std::string& trouble);
  std::string without_secrets(std::string text) const;
  void note_lost(const std::string& gid, const std::string& trouble, std::int64_t level,
                 const std::string& why);

  Timers& timers_;
  HttpClient& client_;
  Observer& observer_;
  const AlertOptions options_;
  AlertProbe probe_;
  Told told_;
  Told told_before_;  ///< the older half of the memory: takes over told_ when that is half full
  SteadyTime next_line_ = SteadyTime::min();
  std::uint64_t lost_without_line_ = 0;
  TaskGroup tasks_;
};

}  // namespace concerto::net
