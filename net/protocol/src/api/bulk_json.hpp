#pragma once

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

#include <concerto/base/error.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/engine/bulk_actions.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The body of an operator's action.
struct ActionBody {
  Gid gid;                  ///< if not empty: one transaction
  std::vector<Gid> gids;    ///< if not empty: these
  bool has_select = false;  ///< otherwise one of the two above is there
  BulkRequest request;
  bool dry_run = false;
};

/// How many transactions one request may name.
inline constexpr std::size_t gids_max = 1'000;

/// Reads the body of retry, stop or skip. Ages are counted back from `now`. Error invalid_request
/// names the field and the value: also a member that nobody knows, since a misspelt one would
/// select more than was meant.
Result<ActionBody> action_body_from(std::string_view body, BulkAction action, WallTime now,
                                    const ModeTable& modes);

/// Reads a text that may not be empty where it is there. Error: invalid_request.
Result<> read_some_text(std::string_view name, JsonValue value, std::string& text);
Result<> check_not_empty(std::string_view field, std::string_view value);

/// A null is no value, and a member that is there twice may mean either: an action that somebody
/// did not mean must not happen. Error: invalid_request.
Result<> check_member(JsonValue object, JsonValue member);
Error unknown_member(std::string_view where, std::string_view name);

/// The names of a selection's parameters, and `by`: those of `count`.
inline constexpr std::array<std::string_view, 11> count_parameters{
    "by",     "status",    "transType", "minAge", "maxAge", "createTimeStart", "createTimeEnd",
    "target", "lastError", "topic",     "owner"};

/// Whether `select` may have this member; `all` has it as a parameter.
bool is_selection_name(std::string_view name);

/// The selection in the parameters of a GET. Error: invalid_request.
Result<BulkSelection> selection_from(const HttpRequest& request, WallTime now,
                                     const ModeTable& modes);

Result<BulkCountBy> count_by_from(std::string_view text);

/// What the body of an action says besides gid and reason, for its record. Members that nobody
/// reads are left out; of a payload it says the size.
std::string action_details(std::string_view body);
/// The gids in the body of an action that names several, each of them once, as many as a request
/// may name.
std::vector<std::string> action_gids(std::string_view body);
/// The reason in the body of an action.
std::string action_reason(std::string_view body);

/// The body of pause or resume.
struct PauseBody {
  Pause pause;
  bool dry_run = false;
};
Result<PauseBody> pause_body_from(std::string_view body);
std::string pause_json(const Pause& pause, std::chrono::minutes offset);
/// The pause, and what it would hold up, or holds up now.
std::string pause_preview_json(const Pause& pause, const BulkPreview& preview,
                               std::chrono::minutes offset, const ModeTable& modes);
/// Without `counts` it does not say how many wait.
std::string pauses_json(const std::vector<Pause>& pauses, const PauseCounts* counts,
                        std::chrono::minutes offset);

boost::json::object preview_object(const BulkPreview& preview, std::chrono::minutes offset,
                                   const ModeTable& modes);
std::string preview_json(const BulkPreview& preview, std::chrono::minutes offset,
                         const ModeTable& modes);
std::string job_json(const BulkJob& job, std::chrono::minutes offset, const ModeTable& modes);
std::string jobs_json(const std::vector<BulkJob>& jobs, std::chrono::minutes offset,
                      const ModeTable& modes);
/// `damaged`: how many transactions the coordinator knows that cannot be read, so not counted.
std::string counts_json(const BulkCounts& counts, std::size_t damaged, std::chrono::minutes offset);
/// What became of the transactions that a request names. Of those for which it was done, `held` are
/// held up by pauses.
std::string acted_json(const BulkJob& tally, std::size_t held);

}  // namespace concerto::net
