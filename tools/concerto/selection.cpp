#include "selection.hpp"

#include <algorithm>
#include <charconv>

#include <CLI/CLI.hpp>

#include <concerto/base/utf8.hpp>
#include <concerto/engine/transaction.hpp>

#include "time_text.hpp"
#include "verb_error.hpp"

namespace concerto::tools {
namespace {

constexpr std::string_view unfinished = "prepared,submitted,aborting";
constexpr std::string_view list_path = "/api/dtmsvr/all";
constexpr std::size_t page_max = 1'000;

Result<std::string> status_of(const Selection& selection) {
  if (selection.stuck) {
    if (selection.status.empty()) return std::string(unfinished);
    return make_error(VerbErrc::usage, "--stuck says which status; leave --status out");
  }
  if (selection.status.empty()) return std::string();
  std::string statuses = selection.status;
  const std::size_t at = statuses.find("unfinished");
  if (at != std::string::npos)
    statuses.replace(at, std::string_view("unfinished").size(), unfinished);
  for (const std::string& one : CLI::detail::split(statuses, ',')) {
    if (trans_status_from(CLI::detail::trim_copy(one))) continue;
    return make_error(VerbErrc::usage, "--status: '" + visible_line(one) +
                                           "' is none of prepared, submitted, aborting, succeed, "
                                           "failed and unfinished");
  }
  return statuses;
}

Result<std::string> seconds_of(const char* option, const std::string& text) {
  const auto duration = read_duration(text);
  if (duration) return std::to_string(duration->count());
  return make_error(VerbErrc::usage, std::string(option) + ": " + duration.error().detail);
}

Result<std::string> milliseconds_of(const char* option, const std::string& text) {
  const auto time = read_time(text);
  if (!time) {
    return make_error(
        VerbErrc::usage,
        std::string(option) + ": expected a time as 2026-11-30T03:05:42Z, found '" + text + "'");
  }
  return std::to_string(
      std::chrono::floor<std::chrono::milliseconds>(*time).time_since_epoch().count());
}

}  // namespace

void add_selection_options(CLI::App& app, Selection& selection) {
  const auto add = [&app](const char* name, std::string& to, const char* help, const char* type) {
    app.add_option(name, to, help)->type_name(type)->group("Selection");
  };
  add("--status", selection.status,
      "Of this status, or of several with commas: prepared, submitted, aborting, succeed, failed; "
      "unfinished stands for the first three",
      "STATUS");
  app.add_option("--mode", selection.mode, "Of this mode")
      ->type_name("")
      ->check(CLI::IsMember({"saga", "msg", "tcc", "xa", "workflow"}))
      ->group("Selection");
  add("--min-age", selection.min_age, "Created at least so long ago, as 90s, 5m, 1h30m or 3d",
      "AGE");
  add("--max-age", selection.max_age, "Created at most so long ago", "AGE");
  add("--created-after", selection.created_after, "Created at this time or later (RFC 3339)",
      "TIME");
  add("--created-before", selection.created_before, "Created before this time", "TIME");
  add("--target", selection.target,
      "With this text in a URL that is called next or that has failed", "TEXT");
  add("--last-error", selection.last_error, "With this text in the last error", "TEXT");
  add("--topic", selection.topic, "Of this topic", "TOPIC");
  add("--owner", selection.owner, "Of the coordinator with this name (shared stores)", "NAME");
  app.add_flag("--stuck", selection.stuck, "Unfinished, and created at least a minute ago")
      ->group("Selection");
}

Result<Server::Query> query_of(const Selection& selection) {
  Server::Query query;
  const auto add = [&query](const char* name, const std::string& value) {
    if (!value.empty()) query.emplace_back(name, value);
  };
  CONCERTO_TRY(const std::string status, status_of(selection));
  add("status", status);
  add("transType", selection.mode);
  std::string min_age = selection.min_age;
  if (selection.stuck && min_age.empty()) min_age = "60s";
  if (!min_age.empty()) {
    CONCERTO_TRY(const std::string seconds, seconds_of("--min-age", min_age));
    add("minAge", seconds);
  }
  if (!selection.max_age.empty()) {
    CONCERTO_TRY(const std::string seconds, seconds_of("--max-age", selection.max_age));
    add("maxAge", seconds);
  }
  if (!selection.created_after.empty()) {
    CONCERTO_TRY(const std::string time,
                 milliseconds_of("--created-after", selection.created_after));
    add("createTimeStart", time);
  }
  if (!selection.created_before.empty()) {
    CONCERTO_TRY(const std::string time,
                 milliseconds_of("--created-before", selection.created_before));
    add("createTimeEnd", time);
  }
  add("target", selection.target);
  add("lastError", selection.last_error);
  add("topic", selection.topic);
  add("owner", selection.owner);
  return query;
}

Result<json::object> object_of(const Selection& selection) {
  CONCERTO_TRY(const Server::Query query, query_of(selection));
  json::object object;
  for (const auto& [name, value] : query) {
    const bool is_number = name == "minAge" || name == "maxAge" || name == "createTimeStart" ||
                           name == "createTimeEnd";
    std::int64_t number = 0;
    if (is_number) std::from_chars(value.data(), value.data() + value.size(), number);
    object[name] = is_number ? json::value(number) : json::value(value);
  }
  return object;
}

Result<> check_parameters(Server& server, const Server::Query& query) {
  const auto is_new = [](const auto& parameter) {
    return parameter.first == "maxAge" || parameter.first == "topic" || parameter.first == "owner";
  };
  if (std::none_of(query.begin(), query.end(), is_new)) return ok();
  CONCERTO_TRY(const json::value described, server.get("/api/openapi.json"));
  const json::object& list =
      object_member(object_member(object_member(object_of(described), "paths"), list_path), "get");
  for (const auto& parameter : query) {
    const json::array& known = array_member(list, "parameters");
    const bool is_known = std::any_of(known.begin(), known.end(), [&](const json::value& one) {
      return text_member(object_of(one), "name") == parameter.first;
    });
    if (is_known || !is_new(parameter)) continue;
    return make_error(VerbErrc::no_route, "the coordinator cannot select by '" + parameter.first +
                                              "'; it is an older version");
  }
  return ok();
}

Result<std::string> walk(Server& server, const Server::Query& selected, const Walk& how,
                         Progress* progress,
                         const std::function<void(const json::object&)>& visit) {
  CONCERTO_CHECK(check_parameters(server, selected));
  std::string position = how.position;
  std::size_t left = how.limit;
  for (;;) {
    Server::Query query = selected;
    if (how.explain) query.emplace_back("explain", "true");
    query.emplace_back("limit",
                       std::to_string(how.limit == 0 ? page_max : std::min(left, page_max)));
    if (!position.empty()) query.emplace_back("position", position);
    CONCERTO_TRY(const json::value page, server.get(list_path, query));
    const json::array& transactions = array_member(object_of(page), "transactions");
    for (const json::value& transaction : transactions) visit(object_of(transaction));
    if (progress != nullptr) progress->advance(transactions.size());
    std::string next = text_member(object_of(page), "next_position");
    if (next.empty()) return next;
    if (next == position) {
      return make_error(VerbErrc::failed, "the list does not go on behind position '" + next + "'");
    }
    position = std::move(next);
    if (how.limit == 0) continue;
    left -= std::min(left, transactions.size());
    if (left == 0) return position;
  }
}

std::string age_of(const json::object& transaction, WallTime now) {
  const auto created = read_time(text_member(transaction, "create_time"));
  if (!created) return {};
  return duration_text(std::chrono::duration_cast<std::chrono::seconds>(now - *created));
}

std::string target_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::string_view authority =
      url.substr(host, std::min(url.find_first_of("/?#", host), url.size()) - host);
  const std::size_t user_end = authority.rfind('@') + 1;  // 0 if there is none
  return std::string(url.substr(0, host)).append(authority.substr(user_end));
}

}  // namespace concerto::tools
