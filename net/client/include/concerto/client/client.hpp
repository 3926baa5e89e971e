#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/client/client_error.hpp>
#include <concerto/client/msg.hpp>
#include <concerto/client/saga.hpp>
#include <concerto/client/tcc.hpp>
#include <concerto/client/workflows.hpp>
#include <concerto/client/xa.hpp>
#include <concerto/protocol/registration_plan.hpp>

namespace concerto::client {

namespace detail {
class Core;
}  // namespace detail

struct ClientOptions {
  /// For https, to the coordinator and to branches. Null: https is refused.
  std::shared_ptr<asio::ssl::context> tls;
  /// If not empty, gRPC to the coordinator uses `tls`, and its certificate must name this host.
  std::string grpc_tls_host;
  /// Sent to the coordinator, and to nobody else, as `authorization: Bearer <token>`.
  std::string token;
  /// The time limit of each request to the coordinator. A submit with `wait_result` waits so long.
  /// milliseconds::max(): no limit.
  std::chrono::milliseconds timeout{60'000};
  /// For targets in an etcd that wants a user or TLS.
  std::optional<net::EtcdAccess> etcd_access;
};

/// Begins transactions with a coordinator, over HTTP or gRPC.
///
/// The address of the coordinator is what the other clients of the protocol take:
/// `http://host:36789/api/dtmsvr` (or https) for HTTP, `http://host:36789/api/json-rpc` for
/// JSON-RPC; `host:36790`, or a target of go-zero such as `etcd://host:2379/dtmservice`, for gRPC.
/// A client over gRPC calls the branches of the application over gRPC, every other over HTTP.
///
/// Use the client on the executor's thread, which is one thread. Transactions refer to their
/// client, and so do requests that were not begun yet.
class CONCERTO_EXPORT Client {
 public:
  Client(Executor executor, std::string coordinator, ClientOptions options = ClientOptions{});
  /// Ends the requests that run, as `close` does, and waits for them. If no thread runs the
  /// io_context, runs it here meanwhile, with all else that can run in it.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// A new gid from the coordinator. Any other text that is unique will do as well.
  Async<std::string> new_gid();

  Saga saga(std::string gid);
  Msg msg(std::string gid);
  /// `parent_branch_id`: of the try that is served at the moment, for branches below it; such a tcc
  /// only calls branches.
  Tcc tcc(std::string gid, std::string parent_branch_id = {});
  Xa xa(std::string gid);
  /// The workflows of the application. `callback` is where the coordinator can have them resumed:
  /// an URL over HTTP; over gRPC `host:port`, or another target, with `/workflow.Workflow/Execute`.
  Workflows workflows(std::string callback);

  /// For the service of a branch of XA: registers the branch that `call` is for.
  Async<> register_branch(XaCall call);

  /// Ends all requests and closes the connections.
  Task<void> close();

 private:
  std::unique_ptr<detail::Core> core_;
};

}  // namespace concerto::client
