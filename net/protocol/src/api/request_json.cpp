#include "api/request_json.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "api/json_read.hpp"

namespace concerto::net {
namespace {

/// A request of which some fields were read, in any order.
struct PartialRequest {
  TransRequest request;
  std::string gid;
  StepList steps;
};

struct Field {
  std::string_view name;
  Result<> (*read)(std::string_view name, JsonValue value, PartialRequest& partial);
};

template <auto Member>
Result<> into_partial(std::string_view name, JsonValue value, PartialRequest& partial) {
  return read_json(name, value, partial.*Member);
}

template <auto Member>
Result<> into_request(std::string_view name, JsonValue value, PartialRequest& partial) {
  return read_json(name, value, partial.request.*Member);
}

template <auto Member>
Result<> into_options(std::string_view name, JsonValue value, PartialRequest& partial) {
  return read_json(name, value, partial.request.options.*Member);
}

constexpr std::array fields{
    Field{"gid", into_partial<&PartialRequest::gid>},
    Field{"trans_type", into_request<&TransRequest::trans_type>},
    Field{"protocol", into_request<&TransRequest::protocol>},
    Field{"steps", into_partial<&PartialRequest::steps>},
    Field{"payloads", into_request<&TransRequest::payloads>},
    Field{"custom_data", into_request<&TransRequest::custom_data>},
    Field{"query_prepared", into_request<&TransRequest::query_prepared>},
    Field{"rollback_reason", into_request<&TransRequest::rollback_reason>},
    Field{"req_extra", into_request<&TransRequest::extra>},
    Field{"wait_result", into_options<&TransOptions::wait_result>},
    Field{"concurrent", into_options<&TransOptions::concurrent>},
    Field{"timeout_to_fail", into_options<&TransOptions::timeout_to_fail>},
    Field{"request_timeout", into_options<&TransOptions::request_timeout>},
    Field{"retry_interval", into_options<&TransOptions::retry_interval>},
    Field{"retry_limit", into_options<&TransOptions::retry_limit>},
    Field{"branch_headers", into_options<&TransOptions::branch_headers>},
};

char lower(char character) noexcept {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a')
                                              : character;
}

/// Compares names without regard to case. `name` must be in lower case.
bool is_name(std::string_view name, std::string_view key) noexcept {
  return std::equal(name.begin(), name.end(), key.begin(), key.end(),
                    [](char left, char right) { return left == lower(right); });
}

Result<> read_members(JsonValue body, PartialRequest& partial) {
  for (const JsonValue member : body) {
    const std::string_view key = member.key();
    if (member.is(JsonKind::null)) continue;
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&](const Field& each) { return is_name(each.name, key); });
    if (field == fields.end()) continue;
    CONCERTO_CHECK(field->read(field->name, member, partial));
  }
  return ok();
}

Gid stripped(const Gid& gid) {
  std::string text = gid.str();
  std::erase_if(text, [](char character) {
    return character == '\n' || character == '\r' || character == ';';
  });
  return Gid{std::move(text)};
}

Result<> parse_object(std::string_view body, JsonText& text) {
  CONCERTO_CHECK(text.parse(body, "the request body"));
  const JsonKind kind = text.root().kind();
  if (kind == JsonKind::object) return ok();
  return make_error(Errc::invalid_request, "the request body must be a JSON object, but is " +
                                               std::string{describe(kind)});
}

std::string take(std::map<std::string, std::string>& from, const std::string& name) {
  const auto node = from.extract(name);
  return node ? std::move(node.mapped()) : std::string{};
}

}  // namespace

void write_options(JsonMembers& to, const TransOptions& options, bool false_concurrent) {
  to.flag("wait_result", options.wait_result);
  to.number("timeout_to_fail", options.timeout_to_fail.count());
  to.number("request_timeout", options.request_timeout.count());
  to.number("retry_interval", options.retry_interval.count());
  to.texts("branch_headers", options.branch_headers);
  if (options.concurrent || false_concurrent) to.set_flag("concurrent", options.concurrent);
  to.number("retry_limit", options.retry_limit);
}

std::size_t bytes_of(const TransRequest& request) {
  constexpr std::size_t names_bytes = 256;  // and what is short
  constexpr std::size_t step_names_bytes = 32;
  std::size_t bytes = names_bytes + request.query_prepared.size() + request.custom_data.size();
  for (const Step& step : request.steps) {
    bytes += step.action.size() + step.compensate.size() + step_names_bytes;
  }
  for (const std::string& payload : request.payloads) bytes += payload.size() * 5 / 4;
  return bytes;
}

void append_steps(std::string& out, const std::vector<Step>& steps) {
  append_json_array(out, steps, [](std::string& to, const Step& step) {
    JsonMembers members(to);
    members.set_text("action", step.action);
    members.text("compensate", step.compensate);
    members.end();
  });
}

std::string json_of(const TransRequest& request) {
  std::string out;
  out.reserve(bytes_of(request));
  JsonMembers members(out);
  members.text("gid", request.gid.str());
  members.text("trans_type", request.trans_type);
  members.text("protocol", request.protocol);
  if (!request.steps.empty()) append_steps(members.begin("steps"), request.steps);
  if (!request.payloads.empty()) {
    append_json_array(members.begin("payloads"), request.payloads, append_json_string);
  }
  members.text("custom_data", request.custom_data);
  members.text("query_prepared", request.query_prepared);
  members.text("rollback_reason", request.rollback_reason);
  members.texts("req_extra", request.extra);
  write_options(members, request.options, false);
  members.end();
  return out;
}

Result<TransRequest> trans_request_from(JsonValue object) {
  PartialRequest partial;
  CONCERTO_CHECK(read_members(object, partial));
  partial.request.from_wire = true;
  partial.request.gid = Gid{std::move(partial.gid)};
  partial.request.steps = std::move(partial.steps.steps);
  std::move(partial.steps.payloads.begin(), partial.steps.payloads.end(),
            std::back_inserter(partial.request.payloads));
  return std::move(partial.request);
}

Result<TransRequest> trans_request_from_json(std::string_view body) {
  JsonText text;
  CONCERTO_CHECK(parse_object(body, text));
  CONCERTO_TRY(TransRequest request, trans_request_from(text.root()));
  request.gid = stripped(request.gid);
  return request;
}

std::string json_of(const BranchRequest& request) {
  std::string out;
  JsonMembers members(out);
  for (const auto& [name, value] : request.fields) members.set_text(name, value);
  members.text("gid", request.gid.str());
  members.text("trans_type", request.trans_type);
  members.text("branch_id", request.branch_id);
  members.text("data", request.payload);
  members.end();
  return out;
}

Result<BranchRequest> branch_request_from(JsonValue object) {
  BranchRequest request;
  request.from_wire = true;
  for (const JsonValue member : object) {
    if (member.is(JsonKind::null)) continue;
    const std::string_view name = member.key();
    CONCERTO_CHECK(read_json(name, member, request.fields[std::string{name}]));
  }
  request.gid = Gid{take(request.fields, "gid")};
  request.trans_type = take(request.fields, "trans_type");
  request.branch_id = take(request.fields, "branch_id");
  request.payload = take(request.fields, "data");
  return request;
}

Result<BranchRequest> branch_request_from_json(std::string_view body) {
  JsonText text;
  CONCERTO_CHECK(parse_object(body, text));
  CONCERTO_TRY(BranchRequest request, branch_request_from(text.root()));
  request.gid = stripped(request.gid);
  return request;
}

}  // namespace concerto::net
