#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/transport/grpc_server.hpp>

namespace concerto::net {

/// Numbers as in grpc.health.v1.
enum class ServingStatus : std::uint8_t { unknown = 0, serving = 1, not_serving = 2 };

/// The service grpc.health.v1.Health of one server. Use it on the server's shard. It must outlive
/// the server's drain.
class CONCERTO_EXPORT GrpcHealth {
 public:
  explicit GrpcHealth(Executor executor) : executor_(std::move(executor)) {}

  /// Registers Check and Watch.
  void register_on(GrpcServer& server);

  /// The empty service name stands for the server as a whole.
  void set(const std::string& service, ServingStatus status);

  /// Ends the watches, because they would delay the server's drain. Call it before the drain.
  void close();

 private:
  using Watches = std::list<Notifier*>;
  class Listed;

  void wake_all();
  Task<GrpcReply> check(GrpcRequest request);
  Task<GrpcStatus> watch(GrpcServerStream& stream);

  std::map<std::string, ServingStatus> services_;
  const Executor executor_;
  Watches watches_;  ///< each waits by itself, so that the end of one wakes no other
  bool closed_ = false;
};

}  // namespace concerto::net
