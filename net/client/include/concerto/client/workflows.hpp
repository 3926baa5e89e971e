#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/client/workflow.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::client {

struct WorkflowOptions {
  /// Timeouts, headers and the like, of each workflow with this name.
  TransOptions trans;
  /// Whether a branch whose action failed with FAILURE is rolled back, too.
  bool rolls_back_failed = false;
};

/// The workflows that an application knows, and their executions. Made by Client::workflows.
///
/// A program that may be killed adds all its workflows at its start and serves `callback`: the
/// coordinator calls that address for each workflow that has not ended, and the workflow goes on
/// where its records end. Any process with the same workflows can serve it.
///
/// The object must outlive its executions. JSON-RPC has no workflows.
class CONCERTO_EXPORT Workflows {
 public:
  /// Returns the result of the workflow. An error that is BranchCondition::failure rolls it back.
  /// After any other error, and after an exception, the workflow stays as it is, and the
  /// coordinator has it resumed.
  using Handler = std::function<Async<std::string>(Workflow&, std::string data)>;

  Workflows(detail::Core& core, std::string callback);

  /// There must not be a workflow with this name yet.
  Workflows& add(std::string name, Handler handler, WorkflowOptions options = WorkflowOptions{});

  /// Begins the workflow `gid`, or goes on with it, and returns its result. If it has ended before,
  /// returns that result. A workflow that was rolled back is a `failure`. While this object
  /// executes the same gid already, the error is `ongoing`.
  Async<std::string> execute(std::string name, std::string gid, std::string data);

  /// Goes on with a workflow as the coordinator asks for, with the query or the target of its
  /// request, and the body. For any HTTP server. Over gRPC, call `execute` with the metadata
  /// `dtm-op` and `dtm-gid` and with the field `Data` of the message.
  Async<> resume(std::string query, std::string body);

  /// Handlers for the address `callback` on HttpServer and on GrpcServer.
  Task<net::HttpResponse> serve(net::HttpRequest request);
  Task<net::GrpcReply> serve(net::GrpcRequest request);

 private:
  struct Known {
    Handler handler;
    WorkflowOptions options;
  };

  Async<std::string> run(std::string name, std::string gid, std::string data);

  detail::Core& core_;
  std::string callback_;
  std::map<std::string, Known> known_;
  std::set<std::string> running_;  ///< gids
};

}  // namespace concerto::client
