#include "api/list_query.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace concerto::net {
namespace {

constexpr std::int64_t list_limit_default = 100;
/// A WallTime can hold so many seconds before and after 1970.
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

/// Reads one status, or several with commas between them. Blanks around a name are ignored.
Result<StatusSet> to_statuses(std::string_view text) {
  StatusSet statuses;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    const std::string_view name = trim_blanks(part);
    if (name.empty()) continue;
    const auto status = trans_status_from(name);
    if (!status) {
      return make_error(Errc::invalid_request, "status '" + std::string{name} +
                                                   "' is none of prepared, submitted, aborting, "
                                                   "succeed and failed");
    }
    statuses.insert(*status);
  }
  return statuses;
}

Result<std::optional<TransType>> to_type(std::string_view text, const ModeTable& modes) {
  const std::string_view name = trim_blanks(text);
  if (name.empty()) return std::optional<TransType>{};
  if (const Mode* mode = modes.find(name)) return std::optional<TransType>{mode->type};
  return make_error(Errc::invalid_request,
                    "transType '" + std::string{name} + "' is none of " + modes.names());
}

Result<std::string> search_text(const HttpRequest& request, std::string_view name) {
  const std::string_view text = value_of(request, name);
  if (text.size() <= search_bytes_max) return std::string{text};
  return make_error(Errc::invalid_request, std::string{name} + " has " +
                                               std::to_string(text.size()) + " bytes, at most " +
                                               std::to_string(search_bytes_max) + " are allowed");
}

Result<bool> switch_value(const HttpRequest& request, std::string_view name) {
  const std::string_view text = value_of(request, name);
  if (text == "true" || text == "1") return true;
  if (text.empty() || text == "false" || text == "0") return false;
  return make_error(Errc::invalid_request,
                    std::string{name} + " is neither true nor false: '" + std::string{text} + "'");
}

/// The whole second of a time in `milliseconds` since 1970. Times beyond the range of WallTime are
/// cut.
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

namespace {

/// The time that lies so many seconds before `now`; nothing without the parameter, or for 0.
Result<std::optional<WallTime>> time_before(const HttpRequest& request, std::string_view name,
                                            WallTime now) {
  CONCERTO_TRY(const std::int64_t age, integer_value(request, name, 0));
  if (age <= 0) return std::optional<WallTime>{};
  return std::optional{now - std::chrono::seconds{std::min(age, wall_seconds_max / 2)}};
}

/// A filter that is empty or means nothing would select everything.
Result<> check_own_parameters(const HttpRequest& request) {
  for (const std::string_view name :
       {"explain", "target", "lastError", "topic", "owner", "minAge", "maxAge"}) {
    const auto value = request.query_value(name);
    if (!value || !trim_blanks(*value).empty()) continue;
    return make_error(Errc::invalid_request,
                      std::string(name) + ": expected a value, found an empty text");
  }
  for (const auto& [name, least] : {std::pair{"minAge", 0}, std::pair{"maxAge", 1}}) {
    const Result<std::int64_t> age = integer_value(request, name, least);
    if (!age) return make_error(Errc::invalid_request, name + (": " + age.error().detail));
    if (*age >= least) continue;
    return make_error(Errc::invalid_request, std::string(name) + ": expected " +
                                                 std::to_string(least) + " or more, found " +
                                                 std::to_string(*age));
  }
  return ok();
}

}  // namespace

Result<> take_own_parameters(const HttpRequest& request, WallTime now, ListQuery& query) {
  CONCERTO_CHECK(check_own_parameters(request));
  CONCERTO_TRY(query.explain, switch_value(request, "explain"));
  CONCERTO_TRY(query.trouble.target, search_text(request, "target"));
  CONCERTO_TRY(query.trouble.error, search_text(request, "lastError"));
  CONCERTO_TRY(query.topic, search_text(request, "topic"));
  CONCERTO_TRY(query.owner, search_text(request, "owner"));
  CONCERTO_TRY(const auto youngest, time_before(request, "minAge", now));
  if (youngest) {
    query.filter.created_to = std::min(query.filter.created_to.value_or(*youngest), *youngest);
  }
  CONCERTO_TRY(const auto oldest, time_before(request, "maxAge", now));
  if (oldest) {
    query.filter.created_from = std::max(query.filter.created_from.value_or(*oldest), *oldest);
  }
  return ok();
}

Result<ListQuery> list_query_from(const HttpRequest& request, const ModeTable& modes) {
  ListQuery query;
  query.gid = Gid{std::string{value_of(request, "gid")}};
  query.position = value_of(request, "position");
  if (!query.gid.empty()) return query;

  CONCERTO_TRY(query.limit, list_limit(request));
  CONCERTO_TRY(query.filter.statuses, to_statuses(value_of(request, "status")));
  CONCERTO_TRY(query.filter.type, to_type(value_of(request, "transType"), modes));
  CONCERTO_TRY(query.filter.created_from, to_second(value_of(request, "createTimeStart")));
  CONCERTO_TRY(query.filter.created_to, to_second(value_of(request, "createTimeEnd")));
  // The limit includes what was created within its second.
  if (query.filter.created_to) {
    *query.filter.created_to += std::chrono::seconds{1} - std::chrono::nanoseconds{1};
  }
  return query;
}

}  // namespace concerto::net
