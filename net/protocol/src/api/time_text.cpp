#include "api/time_text.hpp"

#include <algorithm>
#include <cstdio>

namespace concerto::net {
namespace {

bool is_digit(char character) noexcept {
  return character >= '0' && character <= '9';
}

/// Whether `text` has a digit wherever `shape` has a 9, and is like `shape` elsewhere.
bool has_shape(std::string_view text, std::string_view shape) noexcept {
  return std::ranges::equal(text, shape, [](char character, char wanted) {
    return wanted == '9' ? is_digit(character) : character == wanted;
  });
}

int number_in(std::string_view digits) noexcept {
  int number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

/// Takes `.5`, `.047188302` and the like from the front; nothing there is no time at all.
std::optional<std::chrono::nanoseconds> take_fraction(std::string_view& text) {
  constexpr std::size_t digits_max = 9;
  if (!text.starts_with('.')) return std::chrono::nanoseconds{0};
  const auto end = std::find_if_not(text.begin() + 1, text.end(), is_digit);
  std::string digits{text.begin() + 1, end};
  if (digits.empty() || digits.size() > digits_max) return std::nullopt;
  text.remove_prefix(digits.size() + 1);
  digits.resize(digits_max, '0');
  return std::chrono::nanoseconds{number_in(digits)};
}

/// Of `Z` or `+08:00`.
std::optional<std::chrono::minutes> zone_offset(std::string_view text) {
  if (text == "Z") return std::chrono::minutes{0};
  if (!has_shape(text, "+99:99") && !has_shape(text, "-99:99")) return std::nullopt;
  const std::chrono::minutes distance{number_in(text.substr(1, 2)) * 60 +
                                      number_in(text.substr(4, 2))};
  return text.front() == '-' ? -distance : distance;
}

}  // namespace

std::string format_time(WallTime time, std::chrono::minutes offset) {
  using namespace std::chrono;
  const WallTime local = time + offset;
  const auto day = floor<days>(local);
  const year_month_day date{day};
  const hh_mm_ss clock{local - day};
  char text[64];
  int bytes = std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09lld", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()),
      static_cast<long long>(clock.subseconds().count()));
  std::string result{text, static_cast<std::size_t>(bytes)};
  result.resize(result.find_last_not_of('0') + 1);
  if (result.back() == '.') result.pop_back();
  if (offset == minutes::zero()) return result + "Z";
  const auto distance = static_cast<int>(abs(offset).count());
  bytes = std::snprintf(text, sizeof text, "%c%02d:%02d", offset < minutes::zero() ? '-' : '+',
                        distance / 60, distance % 60);
  return result.append(text, static_cast<std::size_t>(bytes));
}

std::optional<WallTime> time_from(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view shape = "9999-99-99T99:99:99";
  if (!has_shape(text.substr(0, shape.size()), shape)) return std::nullopt;
  const auto number = [text](std::size_t begin, std::size_t digits) {
    return number_in(text.substr(begin, digits));
  };
  const year_month_day date{year{number(0, 4)}, month{static_cast<unsigned>(number(5, 2))},
                            day{static_cast<unsigned>(number(8, 2))}};
  const hours hour{number(11, 2)};
  const minutes minute{number(14, 2)};
  const seconds second{number(17, 2)};
  if (!date.ok() || hour >= days{1} || minute >= hours{1} || second >= minutes{1}) {
    return std::nullopt;
  }
  text.remove_prefix(shape.size());
  const auto fraction = take_fraction(text);
  const auto offset = zone_offset(text);
  if (!fraction || !offset) return std::nullopt;
  // format_time adds an offset and takes whole days away, so there is a day of room at both ends.
  constexpr sys_days first = ceil<days>(WallTime::min()) + days{1};
  constexpr sys_days last = floor<days>(WallTime::max()) - days{1};
  const sys_seconds whole = sys_days{date} + hour + minute + second - *offset;
  if (whole < first) return WallTime{first};
  if (whole >= last) return WallTime{last};
  return WallTime{whole} + *fraction;
}

}  // namespace concerto::net
