#include "api/request_json.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/utf8.hpp>

#include "api/json_read.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

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

void add(json::object& to, const char* name, const std::string& text) {
  if (!text.empty()) to[name] = text;
}

void add(json::object& to, const char* name, bool value) {
  if (value) to[name] = true;
}

void add(json::object& to, const char* name, std::int64_t number) {
  if (number != 0) to[name] = number;
}

void add(json::object& to, const char* name, const std::map<std::string, std::string>& texts) {
  if (texts.empty()) return;
  json::object members;
  for (const auto& [key, value] : texts) members[to_utf8(key)] = to_utf8(value);
  to[name] = std::move(members);
}

json::array steps_array(const std::vector<Step>& steps) {
  json::array array;
  array.reserve(steps.size());
  for (const Step& step : steps) {
    json::object entry;
    entry["action"] = step.action;
    add(entry, "compensate", step.compensate);
    array.push_back(std::move(entry));
  }
  return array;
}

}  // namespace

void write_options(json::object& to, const TransOptions& options, bool false_concurrent) {
  add(to, "wait_result", options.wait_result);
  add(to, "timeout_to_fail", std::int64_t{options.timeout_to_fail.count()});
  add(to, "request_timeout", std::int64_t{options.request_timeout.count()});
  add(to, "retry_interval", std::int64_t{options.retry_interval.count()});
  add(to, "branch_headers", options.branch_headers);
  if (options.concurrent || false_concurrent) to["concurrent"] = options.concurrent;
  add(to, "retry_limit", std::int64_t{options.retry_limit});
}

std::string steps_text(const std::vector<Step>& steps) {
  return json::serialize(steps_array(steps));
}

std::string json_of(const TransRequest& request) {
  json::object out;
  add(out, "gid", request.gid.str());
  add(out, "trans_type", request.trans_type);
  add(out, "protocol", request.protocol);
  if (!request.steps.empty()) out["steps"] = steps_array(request.steps);
  if (!request.payloads.empty()) {
    out["payloads"] = json::array(request.payloads.begin(), request.payloads.end());
  }
  add(out, "custom_data", request.custom_data);
  add(out, "query_prepared", request.query_prepared);
  add(out, "rollback_reason", request.rollback_reason);
  add(out, "req_extra", request.extra);
  write_options(out, request.options, false);
  return json::serialize(out);
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
  json::object out;
  for (const auto& [name, value] : request.fields) out[name] = value;
  add(out, "gid", request.gid.str());
  add(out, "trans_type", request.trans_type);
  add(out, "branch_id", request.branch_id);
  add(out, "data", request.payload);
  return json::serialize(out);
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
