#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <concerto/transport/grpc_channel.hpp>
#include <concerto/transport/http_client.hpp>

#include "encoding.hpp"
#include "options.hpp"

namespace concerto::load {

/// The time limit of each request. A transaction of which a request takes longer has failed.
inline constexpr std::chrono::seconds request_limit{30};

/// With the token of the caller, if there is one.
net::HttpHeaders access_headers(const Access& access);

/// Carries out the transactions of a scenario with a coordinator, whichever program that is.
class CoordinatorClient {
 public:
  CoordinatorClient(Wire wire, const Scenario& scenario);
  virtual ~CoordinatorClient() = default;
  CoordinatorClient(const CoordinatorClient&) = delete;
  CoordinatorClient& operator=(const CoordinatorClient&) = delete;

  /// Carries out one transaction: its requests one after the other, until one fails. The detail of
  /// the error begins with the kind of failure: `HTTP 409: ...`, `gRPC Aborted: ...`. `aborts`:
  /// the client of the transaction aborts it, if that is how the scenario's transactions fail.
  Async<> carry_out(std::string gid, bool aborts);

  /// Closes the connections.
  virtual void close() {}

 protected:
  virtual Async<> send(const EncodedRequest& request, std::string body) = 0;

 private:
  Wire wire_;
  std::vector<EncodedRequest> requests_;
  std::vector<EncodedRequest> to_abort_;
};

class GrpcCoordinatorClient final : public CoordinatorClient {
 public:
  /// `tls`: null without TLS.
  GrpcCoordinatorClient(Executor executor, Timers& timers, RandomSource& random,
                        std::vector<net::Address> addresses, const LoadOptions& options,
                        std::shared_ptr<asio::ssl::context> tls, const Scenario& scenario);
  void close() override { channel_.close(); }

 protected:
  Async<> send(const EncodedRequest& request, std::string body) override;

 private:
  Timers& timers_;
  net::GrpcMetadata metadata_;
  net::StaticAddresses addresses_;
  net::GrpcChannel channel_;
};

class HttpCoordinatorClient final : public CoordinatorClient {
 public:
  /// `client` must outlive this object; its owner closes it.
  HttpCoordinatorClient(net::HttpClient& client, Timers& timers, const LoadOptions& options,
                        const Scenario& scenario);

 protected:
  Async<> send(const EncodedRequest& request, std::string body) override;

 private:
  net::HttpClient& client_;
  Timers& timers_;
  std::string root_;
  net::HttpHeaders headers_;
};

}  // namespace concerto::load
