#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/protocol/action_audit.hpp>

namespace concerto::tools {

/// Decides which refused attempts have a record. Everybody can make attempts, so the records of a
/// day have a budget; no sender gets more than a part of it, and each sender has a record in an
/// hour in any case, so that nobody can keep another one's attempts out of the audit log.
///
/// One for callers, whose names are their senders' names, and one for strangers, who are known by
/// their networks. Not thread-safe.
class RefusedAttempts {
 public:
  static constexpr std::size_t bytes_per_day_max = std::size_t{256} << 10;
  static constexpr std::size_t bytes_of_sender_max = bytes_per_day_max / 8;
  /// Each record is synced. The one that a sender has in any case comes on top.
  static constexpr std::size_t records_per_second_max = 10;
  static constexpr std::chrono::hours record_interval{1};
  static constexpr std::size_t lines_per_hour_max = 10;

  struct Judged {
    bool is_recorded = false;
    std::string line;  ///< for the log of the process; mostly empty
  };

  /// `kind` is the word for a sender, such as `caller`. The senders of a day beyond `senders_max`
  /// count as one.
  RefusedAttempts(std::string_view kind, std::size_t senders_max);

  Judged judge(const std::string& sender, SteadyTime now, WallTime wall_now);
  /// Call this for each record that was written.
  void note_written(const std::string& sender, std::size_t bytes);

  /// Who has made an attempt: the caller's name, or the network of a stranger.
  static std::string sender_of(const net::AuditRecord& record);

 private:
  struct Sender {
    std::size_t bytes = 0;
    std::optional<SteadyTime> last_record;
    std::optional<SteadyTime> last_line;
  };
  using Senders = std::map<std::string, Sender, std::less<>>;

  void begin(SteadyTime now, WallTime wall_now);
  Senders::iterator find(const std::string& sender);
  std::string line_about(Senders::value_type& sender, SteadyTime now);

  const std::string kind_;
  const std::size_t senders_max_;
  std::chrono::sys_days day_{};
  Senders senders_;  ///< of the day
  std::size_t bytes_ = 0;
  bool has_told_day_ = false;
  SteadyTime second_{};
  std::size_t records_ = 0;  ///< of the second
  SteadyTime hour_{};
  std::size_t lines_ = 0;  ///< of the hour
};

}  // namespace concerto::tools
