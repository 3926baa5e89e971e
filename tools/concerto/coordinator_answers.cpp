#include "coordinator_answers.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "json_members.hpp"

namespace concerto::tools {
namespace {

/// What the answer of a route has. Of older coordinators, and of the reference, too.
struct Telling {
  std::string_view path;
  /// All members of one of these.
  std::vector<std::vector<std::string_view>> one_of;
};

const std::vector<Telling>& tellings() {
  static const std::vector<std::string_view> tally{"done", "failed"}, preview{"dryRun", "matched"},
      job{"id", "state"};
  static const std::vector<Telling> all = {
      {version_path, {{"version"}}},
      {"/api/dtmsvr/all", {{"transactions", "next_position"}}},
      {"/api/dtmsvr/query", {{"transaction", "branches"}}},
      {"/api/dtmsvr/scanKV", {{"kv", "next_position"}}},
      {"/api/openapi.json", {{"openapi", "paths"}}},
      {"/api/concerto/why", {{"gid", "status", "state"}}},
      {"/api/concerto/count", {{"total", "groups"}}},
      {"/api/concerto/damaged", {{"records", "total"}}},
      {"/api/concerto/jobs", {{"jobs"}}},
      {"/api/concerto/cancelJob", {job}},
      {"/api/concerto/pauses", {{"pauses"}}},
      {"/api/concerto/pause", {{"kind", "value"}}},
      {"/api/concerto/retry", {tally, preview, job}},
      {"/api/concerto/stop", {tally, preview, job}},
      {"/api/concerto/skip", {tally, preview, job}},
      {"/api/concerto/edit", {tally, preview}},
      {"/api/concerto/begin", {{"wasPaused"}}},
      {"/api/concerto/audit", {{"kept", "records"}}},
      {"/api/concerto/backup", {{"state", "name"}}},
  };
  return all;
}

const Telling* find(std::string_view path) {
  const auto found = std::ranges::find(tellings(), path, &Telling::path);
  return found == tellings().end() ? nullptr : &*found;
}

}  // namespace

bool is_answer_of_coordinator(std::string_view path, const json::value& answer) {
  if (!answer.is_object()) return false;
  const json::object& members = answer.get_object();
  if (path == version_path) return !text_member(members, "version").empty();
  const Telling* const telling = find(path);
  if (telling == nullptr) return true;
  return std::ranges::any_of(telling->one_of, [&members](const auto& names) {
    return std::ranges::all_of(
        names, [&members](std::string_view name) { return members.contains(name); });
  });
}

bool has_telling_answer(std::string_view path) {
  return find(path) != nullptr;
}

bool is_metrics_page(std::string_view text) {
  return text.starts_with("concerto_") || text.find("\nconcerto_") != std::string_view::npos;
}

}  // namespace concerto::tools
