#pragma once

#include <cstddef>
#include <string>

#include <concerto/net/grpc_listener.hpp>
#include <concerto/net/grpc_server.hpp>
#include <concerto/net/http_listener.hpp>
#include <concerto/net/http_server.hpp>

#include "call_ledger.hpp"

namespace concerto::bench {

enum class Wire { grpc, http };

/// The branch services of the load: a bank whose two methods succeed at once, over gRPC and HTTP.
/// A call that no saga of this load may cause, or with a payload of another size, is refused.
class Bank {
 public:
  /// `ledger` must outlive the bank.
  Bank(Executor executor, Timers& timers, CallLedger& ledger, std::size_t payload_bytes);

  /// Listens on free ports of loopback.
  Result<> start();
  Task<void> stop(SteadyTime deadline);

  /// The URL of a method as a saga names it.
  std::string url(Wire wire, const std::string& method) const;

 private:
  Task<net::GrpcReply> answer_grpc(net::GrpcRequest request);
  Task<net::HttpResponse> answer_http(net::HttpRequest request);

  CallLedger& ledger_;
  std::size_t payload_bytes_;
  net::GrpcServer grpc_server_;
  net::GrpcListener grpc_listener_;
  net::HttpServer http_server_;
  net::HttpListener http_listener_;
};

}  // namespace concerto::bench
