#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/store_health.hpp>

namespace concerto::persist {

/// Decides what an operator is told about a database: from outcomes and their times to the store's
/// health and to lines for the log. It has no clock and writes nothing. One thread at a time.
///
/// There are four troubles, each with a line when it begins and one when it is over:
/// - away: nobody can ask the database anything;
/// - unconnected: it answers on the connections that there are, and further ones cannot be made;
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
  /// Of a refusal, each reason is logged once within this time, and so many reasons are.
  static constexpr std::chrono::seconds reason_pause{60};
  static constexpr std::size_t reasons_max = 4;
  /// If no connection failed to be made for so long, and none was made either, nobody needs one.
  static constexpr std::chrono::seconds connect_pause{60};

  /// `place`: which database, for people.
  explicit SqlHealth(std::string place) : place_(std::move(place)) {}

  /// The database has answered a question that changes nothing, after `took`.
  [[nodiscard]] Lines reached(SteadyTime now, std::chrono::nanoseconds took);
  /// The database cannot be asked. `is_silent`: it says nothing at all, so each try fails in words
  /// of its own. The reason is then the first of them.
  [[nodiscard]] Lines away(SteadyTime now, std::string_view why, bool is_silent = false);
  /// A try to make a connection has ended. After one that failed, `reached` or `away` has to tell
  /// what that means. Until then nobody needs a line of his own (StoreHealth::tells).
  [[nodiscard]] Lines connected(SteadyTime now, const Result<>& tried);
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
    std::string why;
    std::vector<std::pair<SteadyTime, std::string>> logged;
    std::size_t changes;
    bool waits;          ///< for a lock: other changes may well be made
    bool seen_by_check;  ///< so that the check can tell its end
    bool is_proven_over;
  };
  struct Unconnected {
    SteadyTime since;
    SteadyTime failed_at;
    std::string why;
    std::size_t tries;
    bool is_told;
  };
  struct Slowness {
    SteadyTime since;
    SteadyTime seen_at;
    std::chrono::nanoseconds longest;
    bool is_told;
  };

  void refuse(SteadyTime now, const Error& error, std::size_t changes, Lines& lines);
  static bool is_new_reason(Refusal& refusal, SteadyTime now);
  void note_time(SteadyTime now, std::chrono::nanoseconds took, Lines& lines);

  const std::string place_;
  std::optional<Away> away_;
  std::optional<Refusal> refusal_;
  std::optional<Unconnected> unconnected_;
  std::optional<Slowness> slowness_;
};

}  // namespace concerto::persist
