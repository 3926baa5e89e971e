#include <optional>
#include <utility>

#include <concerto/transport/grpc_health.hpp>

#include "grpc/health/v1/health.pb.h"

namespace concerto::net {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

std::string encode(int status) {
  HealthCheckResponse response;
  response.set_status(static_cast<HealthCheckResponse::ServingStatus>(status));
  return response.SerializeAsString();
}

}  // namespace

/// A watch's place in the list of those that a change wakes.
class GrpcHealth::Listed {
 public:
  Listed(Watches& watches, Notifier& changed)
      : watches_(watches), place_(watches.insert(watches.end(), &changed)) {}
  ~Listed() { watches_.erase(place_); }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;

 private:
  Watches& watches_;
  const Watches::iterator place_;
};

void GrpcHealth::register_on(GrpcServer& server) {
  server.add_unary("/grpc.health.v1.Health/Check",
                   [this](GrpcRequest request) { return check(std::move(request)); });
  server.add_stream(
      "/grpc.health.v1.Health/Watch", [this](GrpcServerStream& stream) { return watch(stream); },
      StreamKind::standing);
}

void GrpcHealth::set(const std::string& service, ServingStatus status) {
  services_[service] = status;
  wake_all();
}

void GrpcHealth::close() {
  closed_ = true;
  wake_all();
}

void GrpcHealth::wake_all() {
  for (Notifier* each : watches_) each->notify_all();
}

Task<GrpcReply> GrpcHealth::check(GrpcRequest request) {
  HealthCheckRequest parsed;
  if (!parsed.ParseFromString(request.message)) {
    co_return GrpcReply::failure(GrpcCode::internal, "malformed HealthCheckRequest");
  }
  const auto found = services_.find(parsed.service());
  if (found == services_.end()) {
    co_return GrpcReply::failure(GrpcCode::not_found, "unknown service " + parsed.service());
  }
  co_return GrpcReply::success(encode(static_cast<int>(found->second)));
}

Task<GrpcStatus> GrpcHealth::watch(GrpcServerStream& stream) {
  const std::optional<std::string> message = co_await stream.read();
  HealthCheckRequest parsed;
  if (!message || !parsed.ParseFromString(*message)) {
    co_return GrpcStatus{GrpcCode::internal, "malformed HealthCheckRequest"};
  }
  Notifier changed(executor_);
  const Listed listed(watches_, changed);
  stream.on_cancelled([&changed] { changed.notify_all(); });
  std::optional<int> told;
  while (!stream.cancelled() && !closed_) {
    const auto found = services_.find(parsed.service());
    const int status = found == services_.end() ? HealthCheckResponse::SERVICE_UNKNOWN
                                                : static_cast<int>(found->second);
    if (std::exchange(told, status) == status) {
      co_await changed.wait();
    } else if (!co_await stream.write(encode(status))) {
      break;
    }
  }
  co_return GrpcStatus{GrpcCode::unavailable, "the server is shutting down"};
}

}  // namespace concerto::net
