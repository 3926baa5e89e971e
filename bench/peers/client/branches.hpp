#pragma once

#include <cstdint>
#include <string>

#include <concerto/base/timers.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>

namespace concerto::bench {

/// The services of every branch, over gRPC and HTTP: each call succeeds, and is counted.
class Branches {
 public:
  Branches(Executor executor, Timers& timers);

  /// Listens at free ports of the loopback.
  Result<> start();
  Task<void> stop();

  std::uint16_t grpc_port() const { return grpc_listener_.address().port(); }
  std::uint16_t http_port() const { return http_listener_.address().port(); }
  std::uint64_t calls() const noexcept { return calls_; }

 private:
  Task<net::GrpcReply> answer_grpc(net::GrpcRequest request);
  Task<net::HttpResponse> answer_http(net::HttpRequest request);

  Timers& timers_;
  std::uint64_t calls_ = 0;
  net::GrpcServer grpc_server_;
  net::Listener grpc_listener_;
  net::HttpServer http_server_;
  net::Listener http_listener_;
};

}  // namespace concerto::bench
