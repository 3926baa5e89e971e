#include "shard.hpp"

#include <ctime>

namespace concerto::tools {
namespace {

net::HttpClientOptions client_options(const Config& config) {
  net::HttpClientOptions options;
  options.body_bytes_max = config.limits.response_bytes_max;
  return options;
}

net::TargetChannelsOptions channel_options(const ShardSetup& setup) {
  net::TargetChannelsOptions options;
  options.driver = setup.driver;
  options.channel.message_bytes_max = setup.config.limits.response_bytes_max;
  options.etcd_account = setup.etcd_account;
  options.memory = setup.memory;
  return options;
}

net::HttpServerOptions http_options(const ServerLimits& limits) {
  net::HttpServerOptions options;
  options.connections_max = limits.connections_max;
  options.body_bytes_max = limits.body_bytes_max;
  options.header_timeout = limits.read_timeout;
  options.body_timeout = limits.read_timeout;
  options.idle_timeout = limits.idle_timeout;
  return options;
}

net::GrpcServerOptions grpc_options(const ServerLimits& limits) {
  net::GrpcServerOptions options;
  options.connections_max = limits.connections_max;
  options.message_bytes_max = limits.body_bytes_max;
  options.streams_per_connection_max = limits.streams_per_connection_max;
  options.handshake_timeout = limits.read_timeout;
  return options;
}

/// East of UTC: TimeZoneOffset in hours, or the system's zone now.
std::chrono::minutes zone_offset(const std::string& hours) {
  if (!hours.empty()) return std::chrono::hours(std::stoi(hours));
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return std::chrono::minutes(local.tm_gmtoff / 60);
}

}  // namespace

Shard::Shard(const ShardSetup& setup)
    : timers_(io_.get_executor(), setup.clock),
      resolver_(io_.get_executor(), setup.dns),
      http_client_(io_.get_executor(), timers_, resolver_, setup.tls, setup.proxies,
                   client_options(setup.config)),
      channels_({io_.get_executor(), timers_, random_, resolver_, setup.observer},
                channel_options(setup)),
      http_branches_(http_client_, random_),
      grpc_branches_(channels_),
      branches_(http_branches_, grpc_branches_, net::docker_host_wanted()),
      work_(io_.get_executor()) {}

ShardPorts Shard::ports() {
  return {io_.get_executor(), timers_, branches_, random_};
}

void Shard::serve(Coordinator& coordinator, const Config& config) {
  net::HttpApiOptions api_options;
  api_options.version = "v" CONCERTO_VERSION;
  api_options.zone_offset = zone_offset(config.time_zone_offset);
  api_options.reset_beyond =
      3 * config.coordinator.timeout_to_fail;  // As the reference (page 02, section 7.3).
  http_api_ = std::make_unique<net::HttpApi>(coordinator, random_, std::move(api_options));
  http_api_->register_on(router_);
  http_server_ = std::make_unique<net::HttpServer>(io_.get_executor(), timers_, router_.handler(),
                                                   http_options(config.limits));
  grpc_server_ =
      std::make_unique<net::GrpcServer>(io_.get_executor(), timers_, grpc_options(config.limits));
  grpc_api_ = std::make_unique<net::GrpcApi>(io_.get_executor(), coordinator, random_);
  grpc_api_->register_on(*grpc_server_);
}

void Shard::start() {
  thread_ = std::thread([this] { io_.run(); });
}

void Shard::join() {
  work_.reset();
  thread_.join();
}

Task<void> Shard::close(SteadyTime deadline) {
  co_await http_server_->drain(deadline);
  co_await grpc_server_->shutdown(deadline);
  co_await http_client_.close();
  co_await channels_.close();
  // A deadline that was met long ago does not hold up the thread's end.
  timers_.disarm();
}

}  // namespace concerto::tools
