#include "group_counts.hpp"

#include <algorithm>
#include <iostream>
#include <map>
#include <unistd.h>
#include <vector>

#include <concerto/base/common_text.hpp>
#include <concerto/base/counted.hpp>

#include "table.hpp"
#include "time_text.hpp"
#include "verb_error.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t groups_max = 100;

struct Group {
  std::uint64_t count = 0;
  std::string oldest;
};
/// By value. More values than this are counted as one group.
using Groups = std::map<std::string, Group>;
constexpr std::size_t values_max = 100'000;

std::string name_in_api(const std::string& by) {
  if (by == "mode") return "transType";
  return by == "last-error" ? "lastError" : by;
}

std::string age_group(const json::object& transaction, WallTime now) {
  using std::chrono::minutes;
  static constexpr std::pair<minutes, const char*> bounds[] = {{minutes{1}, "under 1m"},
                                                               {minutes{10}, "1m to 10m"},
                                                               {minutes{60}, "10m to 1h"},
                                                               {minutes{24 * 60}, "1h to 1d"}};
  const auto created = read_time(text_member(transaction, "create_time"));
  if (!created) return {};
  for (const auto& [bound, name] : bounds) {
    if (now - *created < bound) return name;
  }
  return "over 1d";
}

/// What the transaction's last error is: of its journal, or why it was rolled back.
std::string last_error(const json::object& transaction) {
  const json::array& attempts = array_member(object_member(transaction, "why"), "attempts");
  if (!attempts.empty()) {
    const json::object& last = object_of(attempts.back());
    const std::string result = text_member(last, "result");
    if (result == "error" || result == "failure") return text_member(last, "answer");
  }
  return text_member(transaction, "rollback_reason");
}

std::string value_of(const json::object& transaction, const std::string& by, WallTime now) {
  if (by == "status") return text_member(transaction, "status");
  if (by == "mode") return text_member(transaction, "trans_type");
  if (by == "age") return age_group(transaction, now);
  if (by == "last-error") {
    return common_text(last_error(transaction), text_member(transaction, "gid"));
  }
  const json::array& urls = array_member(object_member(transaction, "why"), "urls");
  return urls.empty() || !urls.front().is_string()
             ? std::string(no_value)
             : target_of(std::string_view(urls.front().get_string()));
}

json::value to_json(const Groups& groups, std::uint64_t total) {
  std::vector<std::pair<std::string, Group>> sorted(groups.begin(), groups.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
    return left.second.count > right.second.count;
  });
  json::array shown;
  for (std::size_t i = 0; i < std::min(sorted.size(), groups_max); ++i) {
    const auto& [value, group] = sorted[i];
    shown.push_back(
        json::object{{"value", value}, {"count", group.count}, {"oldest", group.oldest}});
  }
  return json::object{{"total", total},
                      {"groups", std::move(shown)},
                      {"complete", sorted.size() <= groups_max && sorted.size() < values_max}};
}

Result<json::value> count_here(Server& server, const Server::Query& selected,
                               const std::string& by) {
  if (by == "topic" || by == "owner") {
    return make_error(VerbErrc::no_route,
                      "the coordinator does not count by " + by + "; it is an older version");
  }
  Groups groups;
  std::uint64_t total = 0;
  const bool shows_progress = ::isatty(STDERR_FILENO) != 0;
  Progress progress(std::cerr, shows_progress, server.clock());
  if (shows_progress) progress.begin("transactions", 0);
  const bool needs_why = by == "target" || by == "last-error";
  const auto walked = walk(server, selected, {0, needs_why, {}},
                           shows_progress ? &progress : nullptr, [&](const json::object& one) {
                             ++total;
                             std::string value = value_of(one, by, server.now());
                             if (groups.size() >= values_max && !groups.contains(value)) return;
                             Group& group = groups[std::move(value)];
                             ++group.count;
                             // The list goes from the newest to the oldest.
                             group.oldest = text_member(one, "create_time");
                           });
  if (shows_progress) progress.end();
  if (!walked) return walked.error();
  return to_json(groups, total);
}

}  // namespace

Result<json::value> count_groups(Server& server, const Server::Query& selected,
                                 const std::string& by) {
  Server::Query query = selected;
  query.emplace_back("by", name_in_api(by));
  auto counts = server.get("/api/concerto/count", query);
  if (counts) return counts;
  // It may count, and know less to count by or fewer statuses than the list does.
  const bool counts_here = counts.error().code == make_error_code(VerbErrc::no_route) ||
                           counts.error().code == make_error_code(VerbErrc::refused);
  if (!counts_here) return counts;
  auto counted = count_here(server, selected, by);
  const bool has_reason = counts.error().code == make_error_code(VerbErrc::refused);
  return !counted && has_reason ? std::move(counts) : std::move(counted);
}

void print_groups(const json::value& counts, const std::string& by, WallTime now) {
  const json::object& answer = object_of(counts);
  std::string title = by;
  for (char& c : title) c = c == '-' ? ' ' : static_cast<char>(c - 'a' + 'A');
  Table table({{title, false, true}, {"COUNT", true, false}, {"OLDEST", true, false}});
  for (const json::value& one : array_member(answer, "groups")) {
    const json::object& group = object_of(one);
    const std::string value = text_member(group, "value");
    const auto oldest = read_time(text_member(group, "oldest"));
    table.add({{value, by == "status" ? colour_of_status(value) : Colour::none},
               std::to_string(count_member(group, "count")),
               oldest
                   ? duration_text(std::chrono::duration_cast<std::chrono::seconds>(now - *oldest))
                   : std::string()});
  }
  if (table.size() > 0) table.print(std::cout, Terminal::of(STDOUT_FILENO));
  std::cout << counted(count_member(answer, "total"), "transaction");
  if (is_partial(answer)) std::cout << "; these are not all groups";
  if (const std::uint64_t damaged = count_member(answer, "damaged"); damaged > 0) {
    std::cout << "; " << counted(damaged, "damaged record")
              << " cannot be counted: concerto list --damaged";
  }
  std::cout << std::endl;
}

}  // namespace concerto::tools
