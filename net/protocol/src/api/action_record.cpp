// What the body of an action says, for its record in the audit log

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "api/bulk_json.hpp"
#include "api/json_read.hpp"

namespace concerto::net {
namespace {

std::string plain_text(JsonValue value) {
  if (value.is(JsonKind::text)) return std::string{value.text()};
  if (value.is(JsonKind::boolean)) return value.boolean() ? "true" : "false";
  return std::string{value.number_text()};
}

void add_member(std::string& details, std::string_view prefix, JsonValue value) {
  const std::string text = plain_text(value);
  if (text.empty()) return;
  details.append(details.empty() ? "" : ", ").append(prefix).append(value.key());
  details.append(" ").append(text);
}

/// How many there are, and the first of them, for people. A record has all of them besides.
std::string gids_text(JsonValue gids) {
  constexpr std::size_t bytes_max = 400;
  std::size_t count = 0;
  std::string named;
  bool has_room = true;
  for (const JsonValue gid : gids) {
    ++count;
    const std::string text = plain_text(gid);
    has_room = has_room && named.size() + text.size() <= bytes_max;
    if (has_room) named.append(named.empty() ? "" : ", ").append(text);
  }
  return std::to_string(count) + " gids: " + named + (has_room ? "" : ", ...");
}

}  // namespace

std::string action_details(std::string_view body) {
  constexpr std::array<std::string_view, 8> names{"branchId", "op", "url",  "limit",
                                                  "dryRun",   "id", "kind", "value"};
  JsonText parsed;
  std::string details;
  if (!parsed.parse(body, "the request body")) return details;
  for (const JsonValue member : parsed.root()) {
    if (std::ranges::find(names, member.key()) != names.end()) add_member(details, "", member);
    if (member.key().starts_with("payload") && member.is(JsonKind::text)) {
      details.append(details.empty() ? "" : ", ").append(member.key()).append(" of ");
      details.append(std::to_string(member.text().size())).append(" bytes");
    }
    if (member.key() == "gids") {
      details.append(details.empty() ? "" : ", ").append(gids_text(member));
    }
    if (member.key() != "select") continue;
    for (const JsonValue each : member) {
      if (is_selection_name(each.key())) add_member(details, "select.", each);
    }
    if (member.begin() == member.end()) details.append(details.empty() ? "" : ", ").append("all");
  }
  return details;
}

std::vector<std::string> action_gids(std::string_view body) {
  JsonText parsed;
  std::vector<std::string> gids;
  if (!parsed.parse(body, "the request body")) return gids;
  const auto member = parsed.root().find("gids");
  if (!member || !member->is(JsonKind::array)) return gids;
  std::unordered_set<std::string> met;
  for (const JsonValue each : *member) {
    if (gids.size() == gids_max) break;
    std::string gid = plain_text(each);
    if (met.insert(gid).second) gids.push_back(std::move(gid));
  }
  return gids;
}

std::string action_reason(std::string_view body) {
  JsonText parsed;
  if (!parsed.parse(body, "the request body")) return {};
  const auto reason = parsed.root().find("reason");
  return reason && reason->is(JsonKind::text) ? std::string{reason->text()} : std::string{};
}

}  // namespace concerto::net
