#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "../sql/rows.hpp"

namespace concerto::persist {

/// The time zone of the columns of type DATETIME, which have no zone themselves: they show the wall
/// clock of the servers that write them (protocol page 07, section 2.1). All servers on a database
/// must have the same zone.
class WallZone {
 public:
  /// A fixed difference to UTC, or the zone of this system.
  explicit WallZone(std::optional<std::chrono::minutes> east_of_utc) noexcept
      : fixed_(east_of_utc) {}

  /// `2026-11-28 15:04:05`. A time that DATETIME cannot show becomes the nearest that it can.
  std::string text_of(RowTime time) const;
  /// Nullopt if the text is not a time, as `0000-00-00 00:00:00` is not.
  std::optional<RowTime> read(std::string_view text) const noexcept;

  std::chrono::seconds east_of_utc(RowTime time) const noexcept;

 private:
  std::optional<std::chrono::minutes> fixed_;
};

/// `+08:00`: a difference to UTC as the session variable time_zone takes it.
std::string zone_text(std::chrono::seconds east_of_utc);

}  // namespace concerto::persist
