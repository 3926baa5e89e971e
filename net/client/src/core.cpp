#include "core.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <span>
#include <thread>
#include <utility>

#include <concerto/base/io_thread.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/protocol/answer_messages.hpp>
#include <concerto/protocol/request_messages.hpp>

#include "client_errors.hpp"

namespace concerto::client::detail {
namespace {

/// Longer limits are none. A sum with a time of the clock must not overflow.
constexpr std::chrono::seconds timeout_max = std::chrono::years{10};
/// How often the destructor asks whether the thread of the executor has ended everything.
constexpr std::chrono::milliseconds end_poll{1};

constexpr const char* prepare_workflow_operation = "prepareWorkflow";

Wire wire_of(std::string_view coordinator) noexcept {
  if (!coordinator.starts_with("http://") && !coordinator.starts_with("https://")) {
    return Wire::grpc;
  }
  return coordinator.ends_with("/json-rpc") ? Wire::json_rpc : Wire::http;
}

/// The request of JSON-RPC whose params are an object, given as JSON.
std::string rpc_body(std::string_view method, std::string_view params) {
  std::string body = R"({"jsonrpc":"2.0","id":"no-use","method":")";
  return body.append(method).append(R"(","params":)").append(params).append("}");
}

std::string without_last_slash(std::string url) {
  if (url.ends_with('/')) url.pop_back();
  return url;
}

net::TargetChannelsOptions channels_options(const ClientOptions& options) {
  net::TargetChannelsOptions channels;
  channels.driver = net::Driver::gozero;
  channels.etcd_access = options.etcd_access;
  return channels;
}

net::TargetChannelsOptions coordinator_options(const ClientOptions& options) {
  net::TargetChannelsOptions channels = channels_options(options);
  if (!options.grpc_tls_host.empty()) {
    channels.channel.tls = options.tls;
    channels.channel.tls_host = options.grpc_tls_host;
    channels.tls_targets = {"*"};
  }
  return channels;
}

/// `submit` as gRPC's `Submit`.
std::string method_of(std::string operation) {
  operation[0] = static_cast<char>(operation[0] - 'a' + 'A');
  return "/dtmgimp.Dtm/" + operation;
}

/// Rules that cannot be read are those of nobody: the client has no place to report them.
net::HttpProxyRules proxies() {
  auto rules = net::HttpProxyRules::from_environment();
  return rules ? std::move(*rules) : net::HttpProxyRules{};
}

std::string gid_in_body(std::string_view body) {
  JsonTree tree;
  if (!tree.parse(body) || !tree.root().is(JsonKind::object)) return {};
  const auto result = tree.root().find("result");  // of JSON-RPC
  const JsonValue object = result && result->is(JsonKind::object) ? *result : tree.root();
  const auto gid = object.find("gid");
  return std::string{gid && gid->is(JsonKind::text) ? gid->text() : std::string_view{}};
}

/// Of a dtmgimp.DtmGidReply, whose only field it is.
std::string gid_in_message(std::string_view message) {
  constexpr char gid_field = 1 << 3 | 2;
  if (message.size() < 2 || message[0] != gid_field) return {};
  return std::string{message.substr(2, static_cast<unsigned char>(message[1]))};
}

Async<> without_answer(Async<std::string> asking) {
  const auto answer = co_await std::move(asking);
  if (!answer) co_return answer.error();
  co_return ok();
}

Task<void> register_and_close(Core& core, BranchRequest request, Result<>& result) {
  result = co_await core.register_branch(std::move(request));
  co_await core.close();
}

}  // namespace

Core::Core(Executor executor, std::string coordinator, ClientOptions options)
    : executor_(executor),
      coordinator_(without_last_slash(std::move(coordinator))),
      options_(std::move(options)),
      wire_(wire_of(coordinator_)),
      timers_(executor, clock_),
      resolver_(executor, dns_),
      shard_{executor, timers_, random_, resolver_, observer_},
      http_(executor, timers_, resolver_, options_.tls, proxies()),
      coordinator_channels_(shard_, coordinator_options(options_)),
      branch_channels_(shard_, channels_options(options_)) {}

// Not a coroutine: the request is written before this returns, so it need not be copied.
Async<std::string> Core::ask(std::string operation, const TransRequest& request) {
  if (wire_ == Wire::grpc) return over_grpc(std::move(operation), net::proto_of(request));
  if (wire_ == Wire::http) return over_http("POST", std::move(operation), net::json_of(request));
  TransRequest changed = request;
  changed.protocol = to_string(Protocol::json_rpc);
  return over_http("POST", std::move(operation), net::json_of(changed));
}

Async<> Core::send(std::string operation, const TransRequest& request) {
  return without_answer(ask(std::move(operation), request));
}

Async<> Core::register_branch(BranchRequest request) {
  std::string operation = "registerBranch";
  return without_answer(wire_ == Wire::grpc
                            ? over_grpc(std::move(operation), net::proto_of(request))
                            : over_http("POST", std::move(operation), net::json_of(request)));
}

Result<> Core::register_branch_now(BranchRequest request) const {
  asio::io_context io{1};
  Core other{io.get_executor(), coordinator_, options_};
  Result<> result;
  std::exception_ptr thrown;
  bool ended = false;
  asio::co_spawn(io, register_and_close(other, std::move(request), result),
                 [&](std::exception_ptr exception) {
                   thrown = std::move(exception);
                   ended = true;
                 });
  const auto work = asio::make_work_guard(io);
  while (!ended) io.run_one();
  if (thrown) std::rethrow_exception(thrown);
  return result;
}

Async<Transaction> Core::prepare_workflow(TransRequest request) {
  const Running running{*this};
  if (wire_ == Wire::json_rpc) {
    co_return make_error(ClientErrc::not_sendable, "JSON-RPC has no workflows; use HTTP or gRPC");
  }
  CONCERTO_CO_TRY(const std::string answer, co_await ask(prepare_workflow_operation, request));
  auto workflow = wire_ == Wire::grpc ? net::workflow_from_proto(answer)
                                      : net::workflow_from_json(answer, ModeTable::standard());
  if (!workflow) co_return make_error(ClientErrc::refused, workflow.error().detail);
  co_return std::move(*workflow);
}

Async<std::string> Core::new_gid() {
  const Running running{*this};
  std::string operation = "newGid";
  std::string params = wire_ == Wire::json_rpc ? "{}" : "";
  const char* method = wire_ == Wire::json_rpc ? "POST" : "GET";
  Async<std::string> asking = wire_ == Wire::grpc
                                  ? over_grpc(std::move(operation), std::move(params))
                                  : over_http(method, std::move(operation), std::move(params));
  CONCERTO_CO_TRY(const std::string answer, co_await std::move(asking));
  std::string gid = wire_ == Wire::grpc ? gid_in_message(answer) : gid_in_body(answer);
  if (gid.empty()) co_return make_error(ClientErrc::refused, "the answer to newGid has no gid");
  co_return gid;
}

Async<std::string> Core::over_http(std::string method, std::string operation, std::string body) {
  const Running running{*this};
  if (!is_utf8(body)) {
    co_return make_error(ClientErrc::not_sendable, "a text of the request is not UTF-8");
  }
  if (wire_ == Wire::json_rpc) body = rpc_body(operation, body);
  net::HttpClientRequest request;
  request.method = std::move(method);
  request.url = wire_ == Wire::json_rpc ? coordinator_ : coordinator_ + "/" + operation;
  if (!body.empty()) request.headers.add("Content-Type", "application/json");
  if (!options_.token.empty()) request.headers.add("Authorization", "Bearer " + options_.token);
  request.body = body;
  const SteadyTime until = deadline(std::chrono::seconds(0));
  auto answer = co_await http_.send(std::move(request), until);
  if (!answer) co_return error_of(answer.error());
  net::ReceivedAnswer received =
      net::answer_from_http(answer->status, answer->headers, answer->body);
  if (received.ok() && wire_ == Wire::json_rpc) received = net::answer_from_rpc(answer->body);
  if (!received.ok()) co_return error_of(received);
  // Old coordinators say so with status 200 (protocol page 01, section 5). The records of a
  // workflow may have the word, too.
  if (operation != prepare_workflow_operation &&
      answer->body.find("FAILURE") != std::string::npos) {
    received.error = net::AnswerClass::failure;
    received.text = std::move(answer->body);
    co_return error_of(received);
  }
  co_return std::move(answer->body);
}

Async<std::string> Core::over_grpc(std::string operation, std::string message) {
  const Running running{*this};
  if (!options_.grpc_tls_host.empty() && options_.tls == nullptr) {
    co_return make_error(ClientErrc::not_sendable, "grpc_tls_host is '" + options_.grpc_tls_host +
                                                       "', and there is no tls: nothing is sent "
                                                       "without it");
  }
  const auto channel = coordinator_channels_.channel(coordinator_);
  if (!channel) co_return error_of(channel.error());
  net::GrpcMetadata metadata;
  if (!options_.token.empty()) metadata.add("authorization", "Bearer " + options_.token);
  std::string method = method_of(std::move(operation));
  const SteadyTime until = deadline(std::chrono::seconds(0));
  net::GrpcReply reply =
      co_await (*channel)->unary(std::move(method), std::move(message), std::move(metadata), until);
  if (reply.ok()) co_return std::move(reply.message);
  if (!reply.sent) co_return error_of(to_error(reply));
  co_return error_of(net::answer_from_grpc(reply.status));
}

Task<void> Core::close() {
  co_await http_.close();
  co_await coordinator_channels_.close();
  co_await branch_channels_.close();
  timers_.disarm();  // Otherwise the io_context runs until the last time limit has passed.
}

Task<void> Core::close_and_wait() {
  co_await close();
  while (running_.load() > 0) co_await asio::post(use_task);
}

void Core::end() {
  if (running_.load() == 0) return;
  const bool is_run_elsewhere = is_run_by_another_thread(executor_);
  const auto has_ended = std::make_shared<std::atomic<bool>>(false);
  asio::co_spawn(executor_, close_and_wait(),
                 [has_ended](const std::exception_ptr&) { has_ended->store(true); });
  if (!is_run_elsewhere) {
    run_until(
        std::span(&executor_, 1), [&] { return has_ended->load(); }, [] {});
    return;
  }
  while (!has_ended->load()) std::this_thread::sleep_for(end_poll);
}

SteadyTime Core::deadline(std::chrono::seconds own) const {
  if (own.count() > 0) return timers_.now() + std::min<std::chrono::seconds>(own, timeout_max);
  return timers_.now() + std::clamp<std::chrono::milliseconds>(options_.timeout, {}, timeout_max);
}

}  // namespace concerto::client::detail
