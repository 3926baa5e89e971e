// A workflow whose steps are the branches of the transaction. It works as that of ../gosdk/app.

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>
#include <concerto/transport/system.hpp>

#include "app.hpp"

namespace concerto::client {
namespace {

namespace json = boost::json;

constexpr const char* workflow_name = "transfer";

void print(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::string payload_for(const std::string& url, const json::object& branch) {
  return payload(url.starts_with("http://") ? "http" : "grpc", branch);
}

bool is_local(const std::string& url) {
  return url.starts_with("local");
}

/// A URL `local` or `local-failure` is not a URL, but a step in the application itself.
Result<> local(const WorkflowStep& step, const json::object& branch, const std::string& url) {
  print("local " + step.op + " " + step.branch_id + " " + text(branch, "name"));
  if (url.ends_with("-failure")) return failure("no money FAILURE");
  return ok();
}

void add_ends(WorkflowBranch& branch, const json::object& given) {
  const auto local_end = [given](const WorkflowStep& step) {
    return local(step, given, text(given, step.op));
  };
  const std::string rollback = text(given, "rollback");
  const std::string commit = text(given, "commit");
  if (is_local(rollback)) branch.on_rollback(local_end);
  if (is_local(commit)) branch.on_commit(local_end);
  if (!rollback.empty() && !is_local(rollback)) {
    branch.on_rollback(rollback, payload_for(rollback, given));
  }
  if (!commit.empty() && !is_local(commit)) branch.on_commit(commit, payload_for(commit, given));
}

Async<std::string> act(WorkflowBranch branch, json::object given) {
  std::string action = text(given, "action");
  if (!is_local(action)) {
    std::string message = payload_for(action, given);
    co_return co_await branch.call(std::move(action), std::move(message));
  }
  const auto work = [&](const WorkflowStep& step) -> Result<std::string> {
    CONCERTO_CHECK(local(step, given, action));
    return text(given, "name");
  };
  co_return co_await branch.run(work);
}

/// Whoever resumes the workflow has only its data: the branches.
Async<std::string> transfer(Workflow& workflow, std::string data) {
  const json::value branches = json::parse(data);
  for (const json::value& each : branches.as_array()) {
    WorkflowBranch branch = workflow.branch();
    add_ends(branch, each.as_object());
    json::object given = each.as_object();
    CONCERTO_CO_CHECK(co_await act(branch, std::move(given)));
  }
  co_return std::to_string(branches.as_array().size()) + " branches are done";
}

/// Where the coordinator has workflows resumed.
class Server {
 public:
  Server(asio::io_context& io, Workflows& workflows)
      : timers_(io.get_executor(), clock_),
        http_(io.get_executor(), timers_,
              [&](net::HttpRequest request) { return serve(std::move(request), workflows); }),
        grpc_(io.get_executor(), timers_),
        http_listener_(io.get_executor(), timers_, {&http_}),
        grpc_listener_(io.get_executor(), timers_, {&grpc_}) {
    grpc_.add_unary("/workflow.Workflow/Execute",
                    [&](net::GrpcRequest request) { return serve(std::move(request), workflows); });
  }

  bool listen(const Arguments& arguments) {
    const std::size_t colon = arguments.listen.find(':');
    const auto port = static_cast<std::uint16_t>(std::stoi(arguments.listen.substr(colon + 1)));
    net::Listener& listener = arguments.wire == "grpc" ? grpc_listener_ : http_listener_;
    return listener.listen({asio::ip::make_address(arguments.listen.substr(0, colon)), port})
        .has_value();
  }

 private:
  static Task<net::HttpResponse> serve(net::HttpRequest request, Workflows& workflows) {
    print("resume " + request.method + " " +
          std::string{request.headers.find("X-Shop").value_or("")});
    return workflows.serve(std::move(request));
  }

  static Task<net::GrpcReply> serve(net::GrpcRequest request, Workflows& workflows) {
    print("resume gRPC " + std::string{request.metadata.find("x-shop").value_or("")});
    return workflows.serve(std::move(request));
  }

  net::SystemClock clock_;
  Timers timers_;
  net::HttpServer http_;
  net::GrpcServer grpc_;
  net::Listener http_listener_;
  net::Listener grpc_listener_;
};

/// Executes the workflow twice. The second time, the coordinator already has its result.
Task<void> execute(Workflows& workflows, const Arguments& arguments) {
  const json::object& transaction = arguments.transaction;
  const std::string gid = text(transaction, "gid");
  const std::string data = json::serialize(transaction.at("branches"));
  Result<std::string> first = co_await workflows.execute(workflow_name, gid, data);
  if (first) {
    const Result<std::string> again = co_await workflows.execute(workflow_name, gid, data);
    if (!again) {
      first = again.error();
    } else if (*again != *first) {
      first = make_error(ClientErrc::refused, "the result was " + *first + ", and is " + *again);
    }
  }
  print_result(first ? "ok" : first.error().detail);
}

}  // namespace

void run_workflows(const Arguments& arguments) {
  asio::io_context io{1};
  Client client{io.get_executor(), arguments.coordinator};
  const bool is_grpc = arguments.wire == "grpc";
  Workflows workflows = client.workflows(is_grpc ? arguments.listen + "/workflow.Workflow/Execute"
                                                 : "http://" + arguments.listen + "/workflow");
  WorkflowOptions options;
  options.trans = options_of(arguments.transaction);
  workflows.add(workflow_name, transfer, std::move(options));
  Server server{io, workflows};
  if (!server.listen(arguments)) std::exit(1);
  print("ready");
  const auto rethrow = [](std::exception_ptr thrown) {
    if (thrown) std::rethrow_exception(thrown);
  };
  if (!arguments.transaction.empty()) {
    asio::co_spawn(io, execute(workflows, arguments), rethrow);
  }
  io.run();
}

}  // namespace concerto::client
