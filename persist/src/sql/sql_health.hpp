#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/store_health.hpp>

namespace concerto::persist {

/// Decides what an operator is told about a database: from outcomes and their times to the store's
/// health and to lines for the log. It has no clock and writes nothing. One thread at a time.
///
/// There are three troubles, each with a line when it begins and one when it is over:
/// - away: nobody can ask the database anything;
/// - refusal: the database answers, and makes no changes;
/// - slowness: its statements take long.
class SqlHealth {
 public:
  struct Line {
    LogLevel level = LogLevel::info;
    std::string text;
  };
  using Lines = std::vector<Line>;

  /// A statement is slow from here on.
  static constexpr std::chrono::seconds slow_from{1};
  /// A refusal or slowness that did not show for so long is over.
  static constexpr std::chrono::seconds calm{10};
  /// A refusal whose reason changes is logged again, at most this often.
  static constexpr std::chrono::seconds reason_pause{60};

  /// `place`: which database, for people.
  explicit SqlHealth(std::string place) : place_(std::move(place)) {}

  /// The database has answered a question that changes nothing, after `took`.
  [[nodiscard]] Lines reached(SteadyTime now, std::chrono::nanoseconds took);
  /// The database cannot be asked. `is_silent`: it says nothing at all, so each try fails in words
  /// of its own. The reason is then the first of them.
  [[nodiscard]] Lines away(SteadyTime now, std::string_view why, bool is_silent = false);
  /// Whether a check that changes nothing found that changes are possible.
  [[nodiscard]] Lines checked(SteadyTime now, const Result<>& check);
  /// The database has made a group of changes, in one call that took so long.
  [[nodiscard]] Lines wrote(SteadyTime now, std::chrono::nanoseconds took);
  /// It has not made a group with so many changes, for a reason of its own. Error: of SqlErrc.
  [[nodiscard]] Lines refused(SteadyTime now, const Error& error, std::size_t changes);
  /// Time has passed.
  [[nodiscard]] Lines look(SteadyTime now);

  StoreHealth health(SteadyTime now) const;

 private:
  // Made by `emplace()`, which sets all members to zero. (Clang takes no initializers here.)
  struct Away {
    SteadyTime since;
    std::string why;
    bool is_silent;
  };
  struct Refusal {
    SteadyTime since;
    SteadyTime failed_at;
    SteadyTime logged_at;
    std::string why;
    std::string logged;
    std::size_t changes;
    bool waits;          ///< for a lock: other changes may well be made
    bool seen_by_check;  ///< so that the check can tell its end
    bool is_proven_over;
  };
  struct Slowness {
    SteadyTime since;
    SteadyTime seen_at;
    std::chrono::nanoseconds longest;
    bool is_told;
  };

  void refuse(SteadyTime now, const Error& error, std::size_t changes, Lines& lines);
  void note_time(SteadyTime now, std::chrono::nanoseconds took, Lines& lines);

  const std::string place_;
  std::optional<Away> away_;
  std::optional<Refusal> refusal_;
  std::optional<Slowness> slowness_;
};

}  // namespace concerto::persist
