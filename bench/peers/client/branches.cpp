#include "branches.hpp"

#include <utility>

#include <concerto/protocol/branch_messages.hpp>

namespace concerto::bench {

Branches::Branches(Executor executor, Timers& timers)
    : timers_(timers),
      grpc_server_(executor, timers),
      grpc_listener_(executor, timers, {&grpc_server_}),
      http_server_(executor, timers,
                   [this](net::HttpRequest request) { return answer_http(std::move(request)); }),
      http_listener_(executor, timers, {&http_server_}) {
  for (const char* method : {"/bench.Bank/TransOut", "/bench.Bank/TransOutBack",
                             "/bench.Bank/TransIn", "/bench.Bank/TransInBack"}) {
    grpc_server_.add_unary(
        method, [this](net::GrpcRequest request) { return answer_grpc(std::move(request)); });
  }
}

Result<> Branches::start() {
  const asio::ip::tcp::endpoint free_port(asio::ip::address_v4::loopback(), 0);
  CONCERTO_CHECK(grpc_listener_.listen(free_port));
  return http_listener_.listen(free_port);
}

Task<void> Branches::stop() {
  grpc_listener_.close();
  http_listener_.close();
  co_await grpc_server_.drain(timers_.now());
  co_await http_server_.drain(timers_.now());
}

Task<net::GrpcReply> Branches::answer_grpc(net::GrpcRequest) {
  ++calls_;
  co_return net::grpc_branch_answer(Outcome::success);
}

Task<net::HttpResponse> Branches::answer_http(net::HttpRequest) {
  ++calls_;
  co_return net::http_branch_answer(Outcome::success);
}

}  // namespace concerto::bench
