#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>

namespace concerto::net {

/// The time as in RFC 3339, in the zone `offset` east of UTC. A second has up to 9 digits, without
/// trailing zeros.
std::string format_time(WallTime time, std::chrono::minutes offset);

/// Reads such a text in any zone; nothing if the text is not one. A time before 1677-09-23 or after
/// 2262-04-10 becomes that day, since WallTime holds no more.
std::optional<WallTime> time_from(std::string_view text);

}  // namespace concerto::net
