#include "wall_zone.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace concerto::persist {
namespace {

using namespace std::chrono;

constexpr sys_seconds earliest = sys_days{year{1000} / January / 2};
constexpr sys_seconds latest = sys_days{year{9999} / December / 30};

/// The number of `digits` characters at `at`; -1 if there is none.
int number(std::string_view text, std::size_t at, std::size_t digits) noexcept {
  if (text.size() < at + digits) return -1;
  const char* const begin = text.data() + at;
  int value = -1;
  const auto [end, error] = std::from_chars(begin, begin + digits, value);
  return error == std::errc{} && end == begin + digits ? value : -1;
}

}  // namespace

seconds WallZone::east_of_utc(RowTime time) const noexcept {
  if (fixed_) return *fixed_;
  const std::time_t at = time;
  std::tm local{};
  if (::localtime_r(&at, &local) == nullptr) return {};
  return seconds{local.tm_gmtoff};
}

std::string WallZone::text_of(RowTime time) const {
  const sys_seconds utc = std::clamp(sys_seconds{seconds{time}}, earliest, latest);
  const sys_seconds wall = utc + east_of_utc(utc.time_since_epoch().count());
  const auto day = floor<days>(wall);
  const year_month_day date{day};
  const hh_mm_ss clock{wall - day};
  char text[32];
  const int size = std::snprintf(
      text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()));
  return {text, static_cast<std::size_t>(size)};
}

std::optional<RowTime> WallZone::read(std::string_view text) const noexcept {
  const int y = number(text, 0, 4), m = number(text, 5, 2), d = number(text, 8, 2);
  const int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
  const year_month_day date{year{y}, month(static_cast<unsigned>(m)),
                            day(static_cast<unsigned>(d))};
  if (y <= 0 || !date.ok() || hour < 0 || minute < 0 || second < 0) return std::nullopt;
  const auto since_midnight = hours{hour} + minutes{minute} + seconds{second};
  const sys_seconds wall = sys_days{date} + since_midnight;
  const RowTime as_utc = wall.time_since_epoch().count();
  // The difference to UTC depends on the time that is looked for. A second look is close enough.
  const RowTime near = as_utc - east_of_utc(as_utc).count();
  return as_utc - east_of_utc(near).count();
}

std::string zone_text(seconds east_of_utc) {
  const auto total = duration_cast<minutes>(east_of_utc).count();
  char text[16];
  const int size =
      std::snprintf(text, sizeof text, "%c%02d:%02d", total < 0 ? '-' : '+',
                    static_cast<int>(std::abs(total) / 60), static_cast<int>(std::abs(total) % 60));
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace concerto::persist
