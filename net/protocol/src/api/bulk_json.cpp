#include "api/bulk_json.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/utf8.hpp>

#include "api/edit_json.hpp"
#include "api/json_read.hpp"
#include "api/list_query.hpp"
#include "api/time_text.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

/// `select` as the parameters of a GET, so that both are read by one function.
Result<HttpRequest> parameters_of(JsonValue select) {
  if (!select.is(JsonKind::object)) return wrong_kind("select", "an object", select);
  HttpRequest request;
  for (const JsonValue member : select) {
    const std::string_view name = member.key();
    if (!is_selection_name(name)) return unknown_member("select", name);
    CONCERTO_CHECK(check_member(select, member));
    std::string value;
    if (member.is(JsonKind::text)) {
      value = member.text();
      CONCERTO_CHECK(check_not_empty("select." + std::string(name), value));
    } else if (const auto number = member.whole_number()) {
      value = std::to_string(*number);
    } else {
      return wrong_kind(std::string("select.").append(name), "a text or a whole number", member);
    }
    request.query.emplace_back(name, std::move(value));
  }
  return request;
}

Result<> read_limit(JsonValue value, std::size_t& limit) {
  std::int64_t number = 0;
  CONCERTO_CHECK(read_json("limit", value, number));
  if (number < 1) {
    return make_error(Errc::invalid_request,
                      "limit: expected 1 or more, found " + std::to_string(number));
  }
  limit = static_cast<std::size_t>(number);
  return ok();
}

Result<> read_gids(JsonValue value, std::vector<Gid>& gids) {
  std::vector<std::string> texts;
  CONCERTO_CHECK(read_json("gids", value, texts));
  if (texts.empty() || texts.size() > gids_max) {
    return make_error(Errc::invalid_request, "gids: expected 1 to " + std::to_string(gids_max) +
                                                 " of them, found " + std::to_string(texts.size()));
  }
  for (std::string& text : texts) gids.emplace_back(std::move(text));
  return ok();
}

/// Reads one member of an action's body.
Result<> read_member(std::string_view name, JsonValue value, ActionBody& body, WallTime now,
                     const ModeTable& modes) {
  BulkRequest& request = body.request;
  if (name == "gid") {
    std::string gid;
    CONCERTO_CHECK(read_some_text(name, value, gid));
    body.gid = Gid{std::move(gid)};
    return ok();
  }
  if (name == "gids") return read_gids(value, body.gids);
  if (name == "select") {
    CONCERTO_TRY(const HttpRequest parameters, parameters_of(value));
    CONCERTO_TRY(request.selection, selection_from(parameters, now, modes));
    body.has_select = true;
    return ok();
  }
  if (name == "reason") return read_json(name, value, request.reason);
  if (name == "dryRun") return read_json(name, value, body.dry_run);
  if (name == "limit") return read_limit(value, request.limit);
  if (request.action == BulkAction::skip) {
    if (name == "branchId") return read_some_text(name, value, request.branch.branch_id);
    if (name == "op") return read_some_text(name, value, request.branch.op);
  }
  return unknown_member("the request body", name);
}

Result<> check_targets(const ActionBody& body) {
  const int given = !body.gid.empty() + !body.gids.empty() + body.has_select;
  if (given != 1) {
    return make_error(Errc::invalid_request,
                      "expected one of gid, gids and select, found " + std::to_string(given));
  }
  if (body.request.action == BulkAction::skip && trim_blanks(body.request.reason).empty()) {
    return make_error(Errc::invalid_request, "reason: a skip needs one, and it is empty");
  }
  if (body.request.action != BulkAction::skip || body.dry_run) return ok();
  return check_row_is_named("a skip", body.request.branch);
}

std::string statuses_text(StatusSet statuses) {
  std::string text;
  for (const TransStatus status :
       {TransStatus::prepared, TransStatus::submitted, TransStatus::aborting}) {
    if (statuses.contains(status)) text.append(text.empty() ? "" : ",").append(to_string(status));
  }
  return text;
}

json::object select_object(const BulkSelection& selection, std::chrono::minutes offset,
                           const ModeTable& modes) {
  json::object select;
  if (!selection.statuses.empty()) select["status"] = statuses_text(selection.statuses);
  if (selection.type) select["transType"] = modes.name_of(*selection.type);
  if (selection.created_from) select["createdFrom"] = format_time(*selection.created_from, offset);
  if (selection.created_to) select["createdTo"] = format_time(*selection.created_to, offset);
  if (!selection.trouble.target.empty()) select["target"] = to_utf8(selection.trouble.target);
  if (!selection.trouble.error.empty()) select["lastError"] = to_utf8(selection.trouble.error);
  if (!selection.topic.empty()) select["topic"] = to_utf8(selection.topic);
  if (!selection.owner.empty()) select["owner"] = to_utf8(selection.owner);
  return select;
}

json::array failures_array(const std::vector<BulkFailure>& all) {
  json::array failures;
  for (const BulkFailure& failure : all) {
    json::object& each = failures.emplace_back(json::object{}).as_object();
    each["gid"] = to_utf8(failure.gid.view());
    each["error"] = to_utf8(failure.text);
  }
  return failures;
}

/// Of a job whose record cannot be read.
constexpr std::string_view unknown_action = "unknown";

json::object job_object(const BulkJob& job, std::chrono::minutes offset, const ModeTable& modes) {
  json::object object;
  object["id"] = to_utf8(job.id);
  object["action"] = job.is_readable ? to_string(job.request.action) : unknown_action;
  object["state"] = to_string(job.state);
  object["reason"] = to_utf8(job.request.reason);
  object["caller"] = to_utf8(job.caller);
  object["created"] = format_time(job.created, offset);
  object["updated"] = format_time(job.updated, offset);
  if (job.request.limit != std::numeric_limits<std::size_t>::max()) {
    object["limit"] = job.request.limit;
  }
  if (!job.request.branch.branch_id.empty()) {
    object["branchId"] = to_utf8(job.request.branch.branch_id);
    object["op"] = to_utf8(job.request.branch.op);
  }
  object["done"] = job.done;
  object["failed"] = job.failed;
  object["errors"] = failures_array(job.failures);
  if (!job.trouble.empty()) object["trouble"] = to_utf8(job.trouble);
  if (job.is_readable) object["select"] = select_object(job.request.selection, offset, modes);
  return object;
}

}  // namespace

bool is_selection_name(std::string_view name) {
  return name != "by" && std::ranges::find(count_parameters, name) != count_parameters.end();
}

Result<> check_not_empty(std::string_view field, std::string_view value) {
  if (!trim_blanks(value).empty()) return ok();
  return make_error(Errc::invalid_request,
                    std::string(field) + ": expected a text that is not empty");
}

Result<> read_some_text(std::string_view name, JsonValue value, std::string& text) {
  CONCERTO_CHECK(read_json(name, value, text));
  return check_not_empty(name, text);
}

Result<> check_member(JsonValue object, JsonValue member) {
  if (member.is(JsonKind::null)) return wrong_kind(member.key(), "a value", member);
  int count = 0;
  for (const JsonValue each : object) count += each.key() == member.key() ? 1 : 0;
  if (count == 1) return ok();
  return make_error(Errc::invalid_request, "'" + std::string(member.key()) + "' is there " +
                                               std::to_string(count) + " times, expected once");
}

Error unknown_member(std::string_view where, std::string_view name) {
  return make_error(Errc::invalid_request,
                    std::string(where) + " has the unknown member '" + std::string(name) + "'");
}

Result<BulkSelection> selection_from(const HttpRequest& request, WallTime now,
                                     const ModeTable& modes) {
  CONCERTO_TRY(ListQuery query, list_query_from(request, modes));
  CONCERTO_CHECK(take_own_parameters(request, now, query));
  if (query.filter.statuses.empty() && request.query_value("status")) {
    return make_error(Errc::invalid_request, "status: expected one or more, found none");
  }
  BulkSelection selection;
  selection.statuses = query.filter.statuses;
  selection.type = query.filter.type;
  selection.created_from = query.filter.created_from;
  selection.created_to = query.filter.created_to;
  selection.trouble = query.trouble;
  selection.topic = query.topic;
  selection.owner = query.owner;
  return selection;
}

Result<ActionBody> action_body_from(std::string_view text, BulkAction action, WallTime now,
                                    const ModeTable& modes) {
  JsonText parsed;
  CONCERTO_CHECK(parsed.parse(text, "the request body"));
  if (!parsed.root().is(JsonKind::object)) {
    return wrong_kind("the request body", "an object", parsed.root());
  }
  ActionBody body;
  body.request.action = action;
  for (const JsonValue member : parsed.root()) {
    CONCERTO_CHECK(check_member(parsed.root(), member));
    CONCERTO_CHECK(read_member(member.key(), member, body, now, modes));
  }
  CONCERTO_CHECK(check_targets(body));
  return body;
}

Result<BulkCountBy> count_by_from(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, BulkCountBy>, 7> names{
      {{"status", BulkCountBy::status},
       {"transType", BulkCountBy::type},
       {"target", BulkCountBy::target},
       {"lastError", BulkCountBy::error},
       {"topic", BulkCountBy::topic},
       {"owner", BulkCountBy::owner},
       {"age", BulkCountBy::age}}};
  for (const auto& [name, by] : names) {
    if (name == text) return by;
  }
  return make_error(Errc::invalid_request,
                    "by: expected status, transType, target, lastError, topic, owner or age, "
                    "found '" +
                        std::string(text) + "'");
}

json::object preview_object(const BulkPreview& preview, std::chrono::minutes offset,
                            const ModeTable& modes) {
  json::object object;
  object["dryRun"] = true;
  object["matched"] = preview.matched;
  object["complete"] = preview.is_complete;
  json::array sample;
  for (std::size_t i = 0; i < preview.sample.size(); ++i) {
    const Transaction& trans = preview.sample[i];
    json::object& each = sample.emplace_back(json::object{}).as_object();
    each["gid"] = to_utf8(trans.gid.view());
    each["transType"] = modes.name_of(trans.type);
    each["status"] = to_string(trans.status);
    each["createTime"] = format_time(trans.create_time, offset);
    json::array urls;
    for (const std::string& url : preview.urls[i]) urls.emplace_back(to_utf8(url));
    each["urls"] = std::move(urls);
    if (i >= preview.rows.size()) continue;
    each["branchId"] = to_utf8(preview.rows[i].branch_id);
    each["op"] = to_utf8(preview.rows[i].op);
  }
  object["sample"] = std::move(sample);
  object["refused"] = preview.refused;
  object["errors"] = failures_array(preview.failures);
  return object;
}

std::string preview_json(const BulkPreview& preview, std::chrono::minutes offset,
                         const ModeTable& modes) {
  json::object object = preview_object(preview, offset, modes);
  object["held"] = preview.held;
  if (preview.is_paused) object["paused"] = true;
  return json::serialize(object);
}

std::string job_json(const BulkJob& job, std::chrono::minutes offset, const ModeTable& modes) {
  return json::serialize(job_object(job, offset, modes));
}

std::string jobs_json(const std::vector<BulkJob>& jobs, std::chrono::minutes offset,
                      const ModeTable& modes) {
  json::array array;
  for (const BulkJob& job : jobs) array.push_back(job_object(job, offset, modes));
  return json::serialize(json::object{{"jobs", std::move(array)}});
}

std::string counts_json(const BulkCounts& counts, std::size_t damaged,
                        std::chrono::minutes offset) {
  json::object object;
  object["total"] = counts.total;
  json::array groups;
  for (const BulkCount& group : counts.groups) {
    json::object& each = groups.emplace_back(json::object{}).as_object();
    each["value"] = to_utf8(group.value);
    each["count"] = group.count;
    each["oldest"] = format_time(group.oldest, offset);
  }
  object["groups"] = std::move(groups);
  object["complete"] = counts.is_complete;
  object["damaged"] = damaged;
  return json::serialize(object);
}

std::string acted_json(const BulkJob& tally, std::size_t held) {
  json::object object;
  object["done"] = tally.done;
  object["failed"] = tally.failed;
  object["errors"] = failures_array(tally.failures);
  if (held > 0) object["held"] = held;
  return json::serialize(object);
}

}  // namespace concerto::net
