#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>

namespace concerto::tools {

/// A time as the coordinator writes it: RFC 3339. Nothing for other texts.
std::optional<WallTime> read_time(std::string_view text);

/// A time as the header Date of HTTP has it.
std::optional<WallTime> read_http_date(std::string_view text);

/// A time of RFC 3339 without the fraction of its second. Other texts stay as they are.
std::string to_the_second(std::string_view time);

/// How long something lasts, for people: `45s`, `3m12s`, `5h03m`, `12d04h`. Not below 0.
std::string duration_text(std::chrono::seconds duration);

/// Reads `0`, `90s`, `5m`, `1h30m` or `3d`. The error says what is expected.
Result<std::chrono::seconds> read_duration(std::string_view text);

}  // namespace concerto::tools
