#include "encoding.hpp"

#include <concerto/base/assert.hpp>
#include <concerto/protocol/request_messages.hpp>

namespace concerto::load {
namespace {

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
    case Api::abort:
      return {"Abort", "abort"};
    case Api::register_branch:
      return {"RegisterBranch", "registerBranch"};
    case Api::prepare_workflow:
      return {"PrepareWorkflow", "prepareWorkflow"};
  }
  return {"", ""};
}

}  // namespace

EncodedRequest encode(Wire wire, const Request& request) {
  const ApiName name = name_of(request.api);
  if (wire == Wire::grpc) {
    return {
        std::string("/dtmgimp.Dtm/") + name.method,
        std::visit([](const auto& content) { return net::proto_of(content); }, request.content)};
  }
  // The object without its opening brace.
  const std::string fields =
      std::visit([](const auto& content) { return net::json_of(content); }, request.content);
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
