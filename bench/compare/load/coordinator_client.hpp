#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <concerto/net/grpc_channel.hpp>
#include <concerto/net/http_client.hpp>

#include "bank.hpp"

namespace concerto::bench {

inline constexpr std::chrono::seconds request_limit{30};

/// What every saga of the load has.
struct SagaShape {
  std::string steps_json;  ///< an array of objects with action and compensate
  std::string payload;     ///< of each of the two steps
};

/// Submits sagas to a coordinator, whichever program it is, and waits for their results.
class CoordinatorClient {
 public:
  virtual ~CoordinatorClient() = default;
  virtual Async<> submit(std::string gid) = 0;
  /// Ends the connections.
  virtual void close() = 0;
};

class GrpcCoordinatorClient final : public CoordinatorClient {
 public:
  GrpcCoordinatorClient(Executor executor, Timers& timers, RandomSource& random, std::uint16_t port,
                        const SagaShape& shape);

  Async<> submit(std::string gid) override;
  void close() override { channel_.close(); }

 private:
  Timers& timers_;
  net::StaticAddresses addresses_;
  net::GrpcChannel channel_;
  std::string request_;  ///< the encoded request without its gid
};

class HttpCoordinatorClient final : public CoordinatorClient {
 public:
  /// `client` must outlive this object, and is closed by its owner.
  HttpCoordinatorClient(net::HttpClient& client, Timers& timers, std::uint16_t port,
                        const SagaShape& shape);

  Async<> submit(std::string gid) override;
  void close() override {}

 private:
  net::HttpClient& client_;
  Timers& timers_;
  std::string url_;
  std::string after_gid_;  ///< the request's JSON text behind the gid
};

}  // namespace concerto::bench
