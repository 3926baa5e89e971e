#include "time_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <locale.h>

#include "verb_error.hpp"

namespace concerto::tools {
namespace {

std::optional<WallTime> wall_time(const std::tm& fields) {
  const std::chrono::year_month_day date{
      std::chrono::year{fields.tm_year + 1900},
      std::chrono::month{static_cast<unsigned>(fields.tm_mon + 1)},
      std::chrono::day{static_cast<unsigned>(fields.tm_mday)}};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days{date}) + std::chrono::hours{fields.tm_hour} +
         std::chrono::minutes{fields.tm_min} + std::chrono::seconds{fields.tm_sec};
}

/// What follows the seconds: a fraction, and `Z` or an offset. The time to add in order to get UTC.
std::optional<std::chrono::nanoseconds> read_rest(std::string_view rest) {
  std::chrono::nanoseconds sum{0};
  if (!rest.empty() && rest.front() == '.') {
    rest.remove_prefix(1);
    std::chrono::nanoseconds unit{100'000'000};
    for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1)) {
      sum += unit * (rest.front() - '0');
      unit /= 10;
    }
  }
  if (rest == "Z") return sum;
  constexpr std::size_t offset_bytes = 6;
  if (rest.size() != offset_bytes || rest[3] != ':') return std::nullopt;
  if (rest[0] != '+' && rest[0] != '-') return std::nullopt;
  int hours = 0, minutes = 0;
  const auto hours_end = std::from_chars(rest.data() + 1, rest.data() + 3, hours);
  const auto minutes_end = std::from_chars(rest.data() + 4, rest.data() + 6, minutes);
  if (hours_end.ptr != rest.data() + 3 || minutes_end.ptr != rest.data() + 6) return std::nullopt;
  const std::chrono::seconds offset = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  return rest[0] == '+' ? sum - offset : sum + offset;
}

constexpr std::size_t whole_seconds_bytes = 19;  // 2026-11-30T03:05:42

struct Unit {
  char letter;
  std::chrono::seconds length;
};
constexpr Unit units[] = {{'d', std::chrono::seconds{86'400}},
                          {'h', std::chrono::seconds{3'600}},
                          {'m', std::chrono::seconds{60}},
                          {'s', std::chrono::seconds{1}}};

}  // namespace

std::optional<WallTime> read_time(std::string_view text) {
  if (text.size() <= whole_seconds_bytes) return std::nullopt;
  const std::string begin(text.substr(0, whole_seconds_bytes));
  std::tm fields{};
  const char* const end = ::strptime(begin.c_str(), "%Y-%m-%dT%H:%M:%S", &fields);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const auto rest = read_rest(text.substr(whole_seconds_bytes));
  const auto time = wall_time(fields);
  if (!rest || !time) return std::nullopt;
  return *time + *rest;
}

std::optional<WallTime> read_http_date(std::string_view text) {
  std::tm fields{};
  const char* const end =
      ::strptime(std::string(text).c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
  return end == nullptr ? std::nullopt : wall_time(fields);
}

std::string to_the_second(std::string_view time) {
  if (!read_time(time)) return std::string(time);
  std::string text(time.substr(0, whole_seconds_bytes));
  const std::size_t zone = time.find_first_of("Z+-", whole_seconds_bytes);
  return text.append(time.substr(zone));
}

std::string duration_text(std::chrono::seconds duration) {
  duration = std::max(duration, std::chrono::seconds{0});
  for (std::size_t i = 0; i + 1 < std::size(units); ++i) {
    if (duration < units[i].length) continue;
    char text[48];
    std::snprintf(text, sizeof text, "%lld%c%02lld%c",
                  static_cast<long long>(duration / units[i].length), units[i].letter,
                  static_cast<long long>(duration % units[i].length / units[i + 1].length),
                  units[i + 1].letter);
    return text;
  }
  return std::to_string(duration.count()) + "s";
}

Result<std::chrono::seconds> read_duration(std::string_view text) {
  const auto wrong = [text] {
    return make_error(VerbErrc::usage, "expected a duration as 90s, 5m, 1h30m or 3d, found '" +
                                           std::string(text) + "'");
  };
  constexpr std::chrono::seconds longest = std::chrono::years{100};
  std::chrono::seconds sum{0};
  std::string_view left = text == "0" ? "0s" : text;
  std::chrono::seconds last_unit = longest;
  while (!left.empty()) {
    long long number = 0;
    const auto read = std::from_chars(left.data(), left.data() + left.size(), number);
    if (read.ec != std::errc() || number < 0 || number > longest.count()) return wrong();
    left.remove_prefix(static_cast<std::size_t>(read.ptr - left.data()));
    if (left.empty()) return wrong();  // 5 of what: nobody should have to guess.
    const char letter = left.front();
    const Unit* const unit =
        std::find_if(std::begin(units), std::end(units),
                     [letter](const Unit& known) { return known.letter == letter; });
    if (unit == std::end(units) || unit->length >= last_unit) return wrong();
    if (number > longest / unit->length) return wrong();
    sum += unit->length * number;
    last_unit = unit->length;
    left.remove_prefix(1);
  }
  if (text.empty() || sum > longest) return wrong();
  return sum;
}

}  // namespace concerto::tools
