#include "api/audited.hpp"

#include <algorithm>
#include <array>

#include <concerto/base/json_text.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/protocol/request_messages.hpp>
#include <concerto/transport/percent.hpp>

#include "api/bulk_json.hpp"
#include "api/error_answers.hpp"
#include "api/grpc_messages.hpp"

namespace concerto::net {
namespace {

/// What the handler of an action reads, and where. A record has nothing else: it would be what the
/// caller wants to be read there, or a secret of somebody.
struct Places {
  enum class Topic { none, query, path };

  std::string_view action;
  bool has_gid;  ///< in the body
  Topic topic;
  std::array<std::string_view, 2> parameters;  ///< further ones of the query
  bool is_bulk = false;                        ///< the body has a reason and a selection
  bool is_backup = false;  ///< the body has a reason, a name, a base, `full`, `verify`
};

constexpr Places all_places[] = {
    {"forceStop", true, Places::Topic::none, {}},
    {"resetNextCronTime", true, Places::Topic::none, {}},
    {"resetCronTime", false, Places::Topic::none, {"timeout", "limit"}},
    {"subscribe", false, Places::Topic::query, {"url", "remark"}},
    {"unsubscribe", false, Places::Topic::query, {"url", ""}},
    {"deleteTopic", false, Places::Topic::path, {}},
    {"retry", true, Places::Topic::none, {}, true},
    {"stop", true, Places::Topic::none, {}, true},
    {"skip", true, Places::Topic::none, {}, true},
    {"edit", true, Places::Topic::none, {}, true},
    {"cancelJob", false, Places::Topic::none, {}, true},
    {"pause", false, Places::Topic::none, {}, true},
    {"resume", false, Places::Topic::none, {}, true},
    {"begin", false, Places::Topic::none, {}, true},
    {"backup", false, Places::Topic::none, {}, false, true},
};

/// A name such as DeleteTopic of gRPC as HTTP writes it.
std::string action_of(std::string_view route) {
  std::string action{route};
  if (!action.empty() && action[0] >= 'A' && action[0] <= 'Z') {
    action[0] = static_cast<char>(action[0] - 'A' + 'a');
  }
  return action;
}

AuditRecord record_of(const RouteNeeds& needs, std::string_view by, const RequestContext& context) {
  AuditRecord record;
  record.action = action_of(needs.name);
  record.by = by;
  record.caller = context.caller.name();
  record.from = context.peer.str();
  record.trace = context.trace.str();
  return record;
}

void add_detail(std::string& details, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (!details.empty()) details += ", ";
  details.append(name).append(name.empty() ? "" : " ").append(value);
}

/// The message in the body of an answer that is an error.
std::string told_message(std::string_view body) {
  JsonTree tree;
  if (!tree.parse(body)) return {};
  const auto message = tree.root().find("message");
  return message && message->is(JsonKind::text) ? std::string{message->text()} : std::string{};
}

bool is_tally(std::string_view body) {
  constexpr std::array<std::string_view, 3> members{"\"succeed_count\"", "\"done\"", "\"matched\""};
  return std::ranges::any_of(members, [body](std::string_view member) {
    return body.find(member) != std::string_view::npos;
  });
}

std::string backup_details(std::string_view body) {
  std::string details;
  JsonTree tree;
  if (!tree.parse(body)) return details;
  for (const std::string_view name : {"name", "base"}) {
    const auto member = tree.root().find(name);
    if (member && member->is(JsonKind::text)) add_detail(details, name, member->text());
  }
  for (const std::string_view name : {"full", "verify"}) {
    const auto member = tree.root().find(name);
    if (member && member->is(JsonKind::boolean) && member->boolean()) add_detail(details, "", name);
  }
  return details;
}

/// The gid that the handler of the route reads in the body.
std::string gid_of(const std::string& body) {
  const auto trans = trans_request_from_json(body);
  return trans ? trans->gid.str() : std::string{};
}

/// What a path has after `topic/`.
std::string topic_in_path(std::string_view path) {
  constexpr std::string_view before = "/topic/";
  const std::size_t at = path.find(before);
  if (at == std::string_view::npos) return {};
  return percent_decode(path.substr(at + before.size()), false).value_or(std::string{});
}

std::string parameter_of(const HttpRequest& request, std::string_view name) {
  return std::string{request.query_value(name).value_or(std::string_view{})};
}

}  // namespace

std::string reason_of(const HttpRequest& request) {
  const auto reason = request.headers.find(reason_header);
  return reason ? std::string{*reason} : parameter_of(request, "reason");
}

ActionAudit::~ActionAudit() = default;

/// Nothing is read for somebody who is not known: not even the time for it is theirs.
bool is_of_stranger(const std::optional<Refusal>& refusal) noexcept {
  return refusal && (refusal->before_caller || refusal->kind >= Refusal::Kind::unknown_caller);
}

AuditRecord record_of(const RouteNeeds& needs, const HttpRequest& request,
                      const RequestContext& context, const std::optional<Refusal>& refusal) {
  AuditRecord record = record_of(needs, "http", context);
  if (is_of_stranger(refusal)) return record;
  const auto places = std::ranges::find(all_places, record.action, &Places::action);
  if (places == std::ranges::end(all_places)) {
    record.details = request.path;
  } else {
    if (places->has_gid) record.gid = gid_of(request.body);
    if (places->topic == Places::Topic::query) record.topic = parameter_of(request, "topic");
    if (places->topic == Places::Topic::path) record.topic = topic_in_path(request.path);
    if (places->is_bulk) {
      record.gids = action_gids(request.body);
      record.details = action_details(request.body);
      record.reason = action_reason(request.body);
    }
    if (places->is_backup) {
      record.details = backup_details(request.body);
      record.reason = action_reason(request.body);
    }
    for (const std::string_view name : places->parameters) {
      if (!name.empty()) add_detail(record.details, name, parameter_of(request, name));
    }
  }
  if (!record.reason.empty()) return record;
  record.reason = reason_of(request);
  return record;
}

AuditRecord record_of(const RouteNeeds& needs, const GrpcRequest& request,
                      const RequestContext& context, const std::optional<Refusal>& refusal) {
  AuditRecord record = record_of(needs, "grpc", context);
  if (is_of_stranger(refusal)) return record;
  // All operators' methods of gRPC are about topics.
  if (Result<TopicRequest> topic = topic_request_from_proto(request.message)) {
    record.topic = std::move(topic->topic);
    add_detail(record.details, "url", topic->url);
    add_detail(record.details, "remark", topic->remark);
  }
  record.reason = request.metadata.find(reason_metadata).value_or(std::string_view{});
  return record;
}

void add_end(AuditRecord& record, const HttpResponse& answer) {
  const bool is_done = answer.status < 300;
  record.event = is_done ? AuditRecord::Event::done : AuditRecord::Event::failed;
  if (answer.status == 202) record.event = AuditRecord::Event::begun;
  record.result = std::to_string(answer.status);
  if (!is_done) add_detail(record.result, "", told_message(answer.body));
  // How many transactions an action has reached, or which job does it; of an edit the old URL.
  constexpr std::size_t told_bytes_max = 2'048;
  const bool is_told = record.action == "edit" || answer.body.size() <= told_bytes_max;
  if (is_done && is_told && is_tally(answer.body)) {
    add_detail(record.result, "answer", answer.body);
  }
}

void add_end(AuditRecord& record, const GrpcReply& answer) {
  record.event = answer.status.ok() ? AuditRecord::Event::done : AuditRecord::Event::failed;
  record.result = std::to_string(static_cast<int>(answer.status.code));
  add_detail(record.result, "", answer.status.message);
}

void add_broken_end(AuditRecord& record) {
  record.event = AuditRecord::Event::failed;
  record.result = "it was cut off without an answer; it may have changed something";
}

std::string audit_json(const AuditPage& page, bool is_kept) {
  std::string body = is_kept ? R"({"kept":true,"records":[)" : R"({"kept":false,"records":[)";
  for (const std::string& record : page.records) {
    if (!body.ends_with('[')) body += ',';
    body += record;
  }
  body += R"(],"next_position":)";
  append_json_string(body, page.next_position);
  return body + "}";
}

void answer_unrecorded(const Error& error, HttpResponse& answer) {
  answer = http_answer(error);
}

void answer_unrecorded(const Error& error, GrpcReply& answer) {
  answer.status = grpc_answer(error);
}

}  // namespace concerto::net
