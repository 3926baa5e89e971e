#include <cstdlib>

#include <concerto/protocol/branch_dispatcher.hpp>

namespace concerto::net {
namespace {

Task<BranchReply> succeed() {
  co_return BranchReply{Outcome::success, {}};
}

void replace_first(std::string& text, std::string_view what, std::string_view by) {
  const std::size_t found = text.find(what);
  if (found != std::string::npos) text.replace(found, what.size(), by);
}

}  // namespace

BranchTransport branch_transport(Protocol protocol, std::string_view url) noexcept {
  if (url.empty()) return BranchTransport::none;
  const bool is_http = url.starts_with("http://") || url.starts_with("https://");
  if (protocol == Protocol::http || is_http) {
    const bool names_method = url.find("method") != std::string_view::npos;
    return protocol == Protocol::json_rpc && names_method ? BranchTransport::json_rpc
                                                          : BranchTransport::http;
  }
  return BranchTransport::grpc;
}

std::string with_docker_host(std::string_view url) {
  std::string out{url};
  replace_first(out, "localhost", "host.docker.internal");
  replace_first(out, "127.0.0.1", "host.docker.internal");
  return out;
}

bool docker_host_wanted() {
  const char* value = std::getenv("IS_DOCKER");
  return value != nullptr && *value != '\0';
}

Task<BranchReply> BranchDispatcher::call(BranchCall call) {
  return docker_host_ ? call_in_docker(std::move(call)) : pass_on(std::move(call));
}

Result<unsigned> BranchDispatcher::way_of(Protocol protocol, std::string_view url) const {
  BranchTransport transport = branch_transport(protocol, url);
  // Both can carry the same calls.
  if (transport == BranchTransport::json_rpc) transport = BranchTransport::http;
  const std::string called = docker_host_ ? with_docker_host(url) : std::string();
  if (docker_host_) url = called;
  if (const auto way = caller_of(transport).way_of(protocol, url); !way) return way.error();
  return static_cast<unsigned>(transport);
}

Result<> BranchDispatcher::can_carry(unsigned way, const BranchCall& call) const {
  const BranchCaller& caller = caller_of(static_cast<BranchTransport>(way));
  if (!docker_host_) return caller.can_carry(way, call);
  const std::string called = with_docker_host(call.url);
  BranchCall in_docker = call;
  in_docker.url = called;
  return caller.can_carry(way, in_docker);
}

Result<> BranchDispatcher::takes_rpc_payload(std::string_view url, std::string_view payload) const {
  return http_.takes_rpc_payload(url, payload);
}

const BranchCaller& BranchDispatcher::caller_of(BranchTransport transport) const noexcept {
  return transport == BranchTransport::grpc ? grpc_ : http_;
}

Task<BranchReply> BranchDispatcher::call_in_docker(BranchCall call) {
  const std::string url = with_docker_host(call.url);
  call.url = url;
  co_return co_await pass_on(call);
}

Task<BranchReply> BranchDispatcher::pass_on(BranchCall call) {
  switch (branch_transport(call.protocol, call.url)) {
    case BranchTransport::none:
      return succeed();
    case BranchTransport::http:
    case BranchTransport::json_rpc:
      return http_.call(std::move(call));
    case BranchTransport::grpc:
      break;
  }
  return grpc_.call(std::move(call));
}

}  // namespace concerto::net
