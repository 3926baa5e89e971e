#pragma once

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/listener.hpp>

namespace concerto::net::test {

/// A service that answers with its own address.
class NamedService {
 public:
  NamedService(Executor executor, Timers& timers, GrpcServerOptions options = {})
      : timers_(timers),
        server_(executor, timers, std::move(options)),
        listener_(executor, timers, {&server_}) {
    server_.add_unary("/pkg.Svc/Who", [this](GrpcRequest) { return answer(); });
    const auto listening = listener_.listen({asio::ip::address_v4::loopback(), 0});
    EXPECT_TRUE(listening) << listening.error().detail;
  }

  std::string address() const { return "127.0.0.1:" + port(); }
  std::string port() const { return std::to_string(listener_.address().port()); }

  Task<void> close() {
    listener_.close();
    return server_.drain(timers_.now());
  }

 private:
  Task<GrpcReply> answer() { co_return GrpcReply::success(address()); }

  Timers& timers_;
  GrpcServer server_;
  Listener listener_;
};

}  // namespace concerto::net::test
