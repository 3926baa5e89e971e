#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/protocol/branch_messages.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/listener.hpp>

#include "call_ledger.hpp"
#include "options.hpp"

namespace concerto::load {

/// The load's own branch services: a bank over gRPC and HTTP. Its branches succeed, except those of
/// transactions that fail on purpose, and note every call in the ledger. The bank refuses a call
/// that no transaction of this load may cause, and a payload of another size. If the coordinator
/// asks how a client decided, the bank answers: not yet.
class Bank {
 public:
  static constexpr std::size_t branch_count = 2;
  /// What an answer says that fails on purpose. Who waits for the result may be told this.
  static constexpr std::string_view refusal_on_purpose = "refused on purpose";
  static constexpr std::string_view error_on_purpose = "an error on purpose";

  struct Shape {
    std::size_t payload_bytes = 0;
    std::chrono::milliseconds delay{};                  ///< before each answer
    std::shared_ptr<asio::ssl::context> tls = nullptr;  ///< null: plain text
  };

  /// `ledger` must outlive the bank.
  Bank(Executor executor, Timers& timers, CallLedger& ledger, Shape shape);

  /// Listens at free ports of the given address.
  Result<> start(const std::string& address);
  Task<void> stop(SteadyTime deadline);

  /// The two branches of every transaction. Valid after start.
  std::vector<BranchUrls> branches(Wire wire) const;
  /// The URL for the coordinator's question about messages and workflows that were not submitted.
  std::string query_prepared(Wire wire) const;

 private:
  struct Answer {
    Outcome outcome = Outcome::success;
    std::string_view text;
  };

  Answer judge(const net::ReceivedCall& call, std::size_t payload_bytes);
  Answer judge_purpose(const net::ReceivedCall& call, std::uint64_t number);
  Task<Answer> hear(net::ReceivedCall call, std::size_t payload_bytes);
  Task<net::GrpcReply> answer_grpc(net::GrpcRequest request);
  Task<net::HttpResponse> answer_http(net::HttpRequest request);
  std::string url(Wire wire, const std::string& method) const;

  Timers& timers_;
  CallLedger& ledger_;
  Shape shape_;
  net::GrpcServer grpc_server_;
  net::Listener grpc_listener_;
  net::HttpServer http_server_;
  net::Listener http_listener_;
};

}  // namespace concerto::load
