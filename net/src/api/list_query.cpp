#include "api/list_query.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace concerto::net {
namespace {

constexpr std::int64_t list_limit_default = 100;
/// Seconds since 1970 that a WallTime can hold, in both directions.
constexpr std::int64_t wall_seconds_max =
    std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;

std::string_view value_of(const HttpRequest& request, std::string_view name) noexcept {
  return request.query_value(name).value_or(std::string_view{});
}

Result<std::int64_t> to_integer(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return make_error(Errc::invalid_request, "convert to int error: " + std::string{text});
  }
  return number;
}

/// The whole second that `milliseconds` since 1970 lie in; what no time can be is cut.
Result<std::optional<WallTime>> to_second(std::string_view milliseconds) {
  if (milliseconds.empty()) return std::optional<WallTime>{};
  CONCERTO_TRY(const std::int64_t count, to_integer(milliseconds));
  const std::int64_t seconds = std::clamp(count / 1000, -wall_seconds_max, wall_seconds_max);
  return std::optional{WallTime{std::chrono::seconds{seconds}}};
}

}  // namespace

Result<std::int64_t> integer_value(const HttpRequest& request, std::string_view name,
                                   std::int64_t absent) {
  const std::string_view text = value_of(request, name);
  if (text.empty()) return absent;
  return to_integer(text);
}

Result<std::size_t> list_limit(const HttpRequest& request) {
  CONCERTO_TRY(const std::int64_t limit, integer_value(request, "limit", list_limit_default));
  return static_cast<std::size_t>(
      std::clamp(limit, std::int64_t{1}, static_cast<std::int64_t>(list_limit_max)));
}

Result<ListQuery> list_query_from(const HttpRequest& request) {
  ListQuery query;
  query.gid = Gid{std::string{value_of(request, "gid")}};
  query.position = value_of(request, "position");
  if (!query.gid.empty()) return query;

  CONCERTO_TRY(query.limit, list_limit(request));
  if (const auto text = value_of(request, "status"); !text.empty()) {
    query.filter.status = trans_status_from(text);
    if (!query.filter.status) query.matches_nothing = true;
  }
  if (const auto text = value_of(request, "transType"); !text.empty()) {
    query.filter.type = trans_type_from(text);
    if (!query.filter.type) query.matches_nothing = true;
  }
  CONCERTO_TRY(query.filter.created_from, to_second(value_of(request, "createTimeStart")));
  CONCERTO_TRY(query.filter.created_to, to_second(value_of(request, "createTimeEnd")));
  // Whoever asks for "until this second" sees what was created within it.
  if (query.filter.created_to) {
    *query.filter.created_to += std::chrono::seconds{1} - std::chrono::nanoseconds{1};
  }
  return query;
}

}  // namespace concerto::net
