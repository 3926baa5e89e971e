#include "encoding.hpp"

#include <dtmgimp.pb.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/assert.hpp>

namespace concerto::load {
namespace {

namespace json = boost::json;

struct ApiName {
  const char* method;  ///< of gRPC
  const char* path;    ///< of HTTP
};

ApiName name_of(Api api) {
  switch (api) {
    case Api::prepare:
      return {"Prepare", "prepare"};
    case Api::submit:
      return {"Submit", "submit"};
    case Api::register_branch:
      return {"RegisterBranch", "registerBranch"};
    case Api::prepare_workflow:
      return {"PrepareWorkflow", "prepareWorkflow"};
  }
  return {"", ""};
}

json::array to_json(const std::vector<Step>& steps) {
  json::array out;
  for (const Step& step : steps) {
    json::object entry;
    entry["action"] = step.action;
    if (!step.compensate.empty()) entry["compensate"] = step.compensate;
    out.push_back(std::move(entry));
  }
  return out;
}

json::object to_json(const std::map<std::string, std::string>& fields) {
  json::object out;
  for (const auto& [name, value] : fields) out[name] = value;
  return out;
}

json::object to_json(const TransRequest& request) {
  json::object out;
  out["trans_type"] = request.trans_type;
  if (request.options.wait_result) out["wait_result"] = true;
  if (!request.steps.empty()) out["steps"] = to_json(request.steps);
  if (!request.payloads.empty()) {
    out["payloads"] = json::array(request.payloads.begin(), request.payloads.end());
  }
  if (!request.custom_data.empty()) out["custom_data"] = request.custom_data;
  if (!request.query_prepared.empty()) out["query_prepared"] = request.query_prepared;
  if (!request.extra.empty()) out["req_extra"] = to_json(request.extra);
  return out;
}

json::object to_json(const BranchRequest& request) {
  json::object out = to_json(request.fields);
  out["trans_type"] = request.trans_type;
  out["branch_id"] = request.branch_id;
  if (!request.payload.empty()) out["data"] = request.payload;
  return out;
}

std::string to_message(const TransRequest& request) {
  dtmgimp::DtmRequest out;
  out.set_transtype(request.trans_type);
  out.mutable_transoptions()->set_waitresult(request.options.wait_result);
  if (!request.steps.empty()) out.set_steps(json::serialize(to_json(request.steps)));
  for (const std::string& payload : request.payloads) out.add_binpayloads(payload);
  out.set_customeddata(request.custom_data);
  out.set_queryprepared(request.query_prepared);
  out.mutable_reqextra()->insert(request.extra.begin(), request.extra.end());
  return out.SerializeAsString();
}

std::string to_message(const BranchRequest& request) {
  dtmgimp::DtmBranchRequest out;
  out.set_transtype(request.trans_type);
  out.set_branchid(request.branch_id);
  out.set_busipayload(request.payload);
  out.mutable_data()->insert(request.fields.begin(), request.fields.end());
  return out.SerializeAsString();
}

}  // namespace

EncodedRequest encode(Wire wire, const Request& request) {
  const ApiName name = name_of(request.api);
  if (wire == Wire::grpc) {
    return {std::string("/dtmgimp.Dtm/") + name.method,
            std::visit([](const auto& content) { return to_message(content); }, request.content)};
  }
  // The object without its opening brace.
  const std::string fields = json::serialize(
      std::visit([](const auto& content) { return to_json(content); }, request.content));
  return {std::string("/api/dtmsvr/") + name.path, "\"," + fields.substr(1)};
}

std::string with_gid(Wire wire, const EncodedRequest& request, std::string_view gid) {
  // In both messages the gid is field 1, and fields may come in any order.
  constexpr char gid_field = 1 << 3 | 2;
  constexpr std::size_t gid_bytes_limit = 127;  // a length of one byte
  CONCERTO_ASSERT(gid.size() <= gid_bytes_limit);
  std::string out;
  out.reserve(gid.size() + request.after_gid.size() + 16);
  if (wire == Wire::grpc) {
    out += gid_field;
    out += static_cast<char>(gid.size());
  } else {
    out += R"({"gid":")";
  }
  out += gid;
  out += request.after_gid;
  return out;
}

}  // namespace concerto::load
