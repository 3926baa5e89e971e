#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <boost/json/value.hpp>

#include <concerto/base/error.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/gate.hpp>
#include <concerto/protocol/route_table.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// The envelope of a JSON-RPC request (protocol page 02, section 9).
struct RpcCall {
  /// The JSON text of a string or a number, which is returned unchanged: a number keeps its digits.
  std::string id = R"("")";
  std::string version;
  std::string method;
  const Route* route = nullptr;  ///< of the method; null if the method is unknown
};

struct NewGidCall {};

/// What a request asks for, or the answer to a request that is refused.
using RpcAction = std::variant<HttpResponse, NewGidCall, TransRequest, BranchRequest>;

/// What the gate needs to know about a request, besides the method.
struct RpcAsker {
  const Gate& gate;
  RequestContext& context;
  const HttpHeaders& headers;
  const PeerCertificate* certificate = nullptr;
};

/// Reads the body of a request. `routes` has the methods and must outlive `call`. First the
/// envelope is checked, then the gate is asked about the method, and then the params are read, if
/// the method has any. `call` has the id even if something else is wrong.
RpcAction rpc_action(std::string_view body, const RouteTable& routes, const RpcAsker& asker,
                     RpcCall& call);

/// The answer to a request that the gate refuses before its body is read. A client that sends too
/// much gets an error of JSON-RPC, others the usual answer of HTTP.
HttpResponse rpc_refusal(const Refusal& refusal);
HttpResponse rpc_result(const RpcCall& call, const boost::json::value& result);
HttpResponse rpc_answer(const RpcCall& call, const Result<>& result);

}  // namespace concerto::net
