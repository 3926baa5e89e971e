#include "shard.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

#include <boost/asio/ip/host_name.hpp>

#include <concerto/base/start_thread.hpp>

#include "access_files.hpp"
#include "client_setup.hpp"

namespace concerto::tools {
namespace {

net::HttpClientOptions client_options(const ShardSetup& setup,
                                      std::shared_ptr<net::BufferBudget> buffers) {
  net::HttpClientOptions options;
  options.buffers = std::move(buffers);
  options.body_bytes_max = setup.config.limits.response_bytes_max;
  options.connections_max = setup.descriptors.http_calls_max;
  options.connections_per_host_max = setup.descriptors.http_calls_per_host_max;
  options.redirects_carry_headers = setup.config.redirect_headers;
  options.targets = &setup.targets;
  return options;
}

net::TargetChannelsOptions channel_options(const ShardSetup& setup) {
  net::TargetChannelsOptions options;
  options.driver = setup.driver;
  options.channel.message_bytes_max = setup.config.limits.response_bytes_max;
  options.channel.keepalive_interval = setup.config.keepalive.interval;
  options.channel.keepalive_timeout = setup.config.keepalive.timeout;
  options.channel.sockets = setup.grpc_calls;
  options.channel.tls = setup.tls.branches;
  options.tls_targets = net::host_list(setup.config.branch_tls.grpc_targets);
  options.etcd_access = setup.etcd_access;
  options.memory = setup.memory;
  return options;
}

net::HttpServerOptions http_options(const ServerLimits& limits, TlsContext tls) {
  net::HttpServerOptions options;
  options.tls = std::move(tls);
  options.handshake_timeout = limits.read_timeout;
  options.connections_max = limits.connections_max;
  options.body_bytes_max = limits.body_bytes_max;
  options.header_timeout = limits.read_timeout;
  options.body_timeout = limits.read_timeout;
  options.idle_timeout = limits.idle_timeout;
  return options;
}

net::GrpcServerOptions grpc_options(const ServerLimits& limits, TlsContext tls) {
  net::GrpcServerOptions options;
  options.tls = std::move(tls);
  options.connections_max = limits.connections_max;
  options.message_bytes_max = limits.body_bytes_max;
  options.streams_per_connection_max = limits.streams_per_connection_max;
  options.handshake_timeout = limits.read_timeout;
  options.idle_timeout = limits.idle_timeout;
  options.request_timeout = limits.read_timeout;
  return options;
}

/// A shard's part of MaxBufferedBytes, but with room for two connections that send the largest
/// body. The memory of such a body grows by doubling.
net::BufferBudget::Limits buffer_limits(const ServerLimits& limits, std::size_t shards) {
  constexpr std::size_t header_bytes = std::size_t{256} << 10;
  constexpr std::size_t connection_share = 4;
  const std::size_t largest = 2 * limits.body_bytes_max + header_bytes;
  net::BufferBudget::Limits result;
  result.bytes_max = std::max(limits.buffered_bytes_max / shards, 2 * largest);
  result.connection_bytes_max = std::max(largest, result.bytes_max / connection_share);
  return result;
}

std::string machine_name() {
  error_code unknown;
  std::string name = asio::ip::host_name(unknown);
  return unknown ? std::string{} : name;
}

std::unique_ptr<net::Authenticator> make_authenticator(const ShardSetup& setup) {
  if (!setup.access) return nullptr;
  return std::make_unique<net::Authenticator>(setup.access, setup.caller_names, setup.wrong_tokens,
                                              setup.right_tokens, setup.clock);
}

net::GateOptions gate_options(const ShardSetup& setup, net::Authenticator* authenticator) {
  const Config& config = setup.config;
  net::GateOptions options;
  options.authenticator = authenticator;
  options.audit = setup.audit;
  options.limiter = &setup.limiter;
  if (config.admin.port != 0) {
    options.port = net::ServedPort::clients;
    options.other_port = "the admin port, " + std::to_string(config.admin.port);
  }
  options.sites.allowed_hosts = net::host_list(config.allowed_hosts);
  options.sites.own_name = machine_name();
  options.sites.get_may_change = config.get_may_change;
  if (auto proxies = read_proxies(config.proxies)) options.proxies = std::move(proxies->trusted);
  return options;
}

std::string client_ports(const Config& config) {
  if (config.http_port == 0 || config.grpc_port == 0) return "HttpPort and GrpcPort";
  return "ports " + std::to_string(config.http_port) + " (HTTP) and " +
         std::to_string(config.grpc_port) + " (gRPC)";
}

/// Nobody is limited at the admin port: operators have to be able to work while clients send too
/// much.
net::GateOptions admin_gate_options(const ShardSetup& setup, net::Authenticator* authenticator) {
  net::GateOptions options = gate_options(setup, authenticator);
  options.limiter = nullptr;
  options.port = net::ServedPort::operators;
  options.other_port = client_ports(setup.config);
  return options;
}

net::AlertOptions alert_options(const Config& config) {
  return {config.alert_web_hook, config.alert_retry_limit, config.coordinator.request_timeout};
}

void collect_api(std::string_view type, const net::ApiProbe& probe, MetricSet& metrics) {
  for (const auto& [api, entry] : probe.entries()) {
    if (entry.ok.value() + entry.failed.value() == 0) continue;
    for (const bool ok : {true, false}) {
      metrics.counter("dtm_server_process_total", "Requests",
                      {{"type", type}, {"api", api}, {"status", ok ? "ok" : "fail"}},
                      static_cast<double>((ok ? entry.ok : entry.failed).value()));
    }
    metrics.histogram("dtm_server_response_duration", "Seconds until a request was answered",
                      {{"type", type}, {"api", api}}, entry.took, reference_bounds);
    metrics.histogram("concerto_server_response_seconds", "Seconds until a request was answered",
                      {{"type", type}, {"api", api}}, entry.took);
  }
}

void collect_failed_handshakes(std::string_view port, std::uint64_t count, MetricSet& metrics) {
  metrics.counter("concerto_tls_handshake_failures_total",
                  "Connections of clients that ended before their TLS handshake was complete",
                  {{"port", port}}, static_cast<double>(count));
}

/// Minutes east of UTC: from TimeZoneOffset in hours, or from the system's time zone now.
std::chrono::minutes zone_offset(const std::string& hours) {
  if (!hours.empty()) {
    int east = 0;  // the text is a number, as the configuration was checked
    const char* const digits = hours.data() + (hours.front() == '+' ? 1 : 0);
    std::from_chars(digits, hours.data() + hours.size(), east);
    return std::chrono::hours(east);
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return std::chrono::minutes(local.tm_gmtoff / 60);
}

}  // namespace

Shard::Shard(const ShardSetup& setup)
    : shards_(setup.shards),
      clock_(setup.clock),
      timers_(io_.get_executor(), setup.clock),
      heartbeat_(timers_),
      observer_(setup.log, ModeTable::standard()),
      resolver_(io_.get_executor(), setup.dns),
      buffers_(
          std::make_shared<net::BufferBudget>(buffer_limits(setup.config.limits, setup.shards))),
      http_client_(io_.get_executor(), timers_, resolver_, setup.tls.branches, setup.proxies,
                   client_options(setup, buffers_)),
      channels_({io_.get_executor(), timers_, random_, resolver_, observer_, &setup.targets},
                channel_options(setup)),
      http_branches_(http_client_, random_),
      grpc_branches_(channels_),
      branches_(http_branches_, grpc_branches_, net::docker_host_wanted()),
      alerts_(io_.get_executor(), timers_, http_client_, observer_, alert_options(setup.config)),
      authenticator_(make_authenticator(setup)),
      gate_(gate_options(setup, authenticator_.get())),
      router_(gate_, setup.clock),
      admin_gate_(admin_gate_options(setup, authenticator_.get())),
      admin_router_(admin_gate_, setup.clock),
      work_(io_.get_executor()) {
  observer_.record_spans(setup.spans);
  observer_.on_trouble([this](const BranchTrouble& trouble) { alerts_.report(trouble); });
}

ShardPorts Shard::ports() {
  return {io_.get_executor(), timers_, branches_, random_, observer_};
}

void Shard::serve(Coordinator& coordinator, BulkActions& bulk, const Config& config,
                  const OpsPages& pages, const ClientPorts& ports) {
  net::HttpApiOptions api_options;
  api_options.bulk = &bulk;
  api_options.version = "v" CONCERTO_VERSION;
  api_options.zone_offset = zone_offset(config.time_zone_offset);
  api_options.reset_beyond =
      3 * config.coordinator.timeout_to_fail;  // As the reference (page 02, section 7.3).
  http_api_ =
      std::make_unique<net::HttpApi>(coordinator, gate_, random_, clock_, std::move(api_options));
  http_api_->register_on(router_);
  pages.register_on(router_);
  router_.set_wait_max(config.limits.http_wait_max);
  http_server_ = make_http_server(router_, config, ports.http, ports.tls);
  if (ports.admin.sockets) {
    http_api_->register_on(admin_router_);
    pages.register_on(admin_router_);
    admin_server_ = make_http_server(admin_router_, config, ports.admin, ports.tls);
  }
  net::GrpcServerOptions grpc = grpc_options(config.limits, ports.tls);
  grpc.sockets = ports.grpc.sockets;
  grpc.failed_handshakes = ports.grpc.failed_handshakes;
  grpc.buffers = buffers_;
  grpc_server_ = std::make_unique<net::GrpcServer>(io_.get_executor(), timers_, std::move(grpc));
  net::GrpcApiOptions grpc_api_options;
  grpc_api_options.reflection = role_for(config.auth.reflection);
  grpc_api_ = std::make_unique<net::GrpcApi>(io_.get_executor(), coordinator, gate_, random_,
                                             clock_, net::RouteTable::standard(), grpc_api_options);
  grpc_api_->register_on(*grpc_server_);
}

std::unique_ptr<net::HttpServer> Shard::make_http_server(net::GatedRouter& router,
                                                         const Config& config,
                                                         const ClientPort& port, TlsContext tls) {
  net::HttpServerOptions options = http_options(config.limits, std::move(tls));
  options.buffers = buffers_;
  options.sockets = port.sockets;
  options.failed_handshakes = port.failed_handshakes;
  options.check_head = router.head_check();
  return std::make_unique<net::HttpServer>(io_.get_executor(), timers_, router.handler(),
                                           std::move(options));
}

Task<void> Shard::reload(const Config& config, TlsContexts tls) {
  buffers_->set_limits(buffer_limits(config.limits, shards_));
  router_.set_wait_max(config.limits.http_wait_max);
  http_server_->set_limits(http_options(config.limits, tls.ports));
  grpc_server_->set_limits(grpc_options(config.limits, tls.ports));
  if (admin_server_) admin_server_->set_limits(http_options(config.limits, tls.ports));
  http_client_.set_tls(tls.branches);
  channels_.set_tls(tls.branches, tls.etcd);
  http_client_.targets_changed();
  channels_.targets_changed();
  co_return;
}

void Shard::set_access(std::shared_ptr<const net::AccessRules> access) {
  if (authenticator_) authenticator_->set_rules(std::move(access));
}

void Shard::collect(MetricSet& metrics) const {
  observer_.probe().collect(metrics);
  collect_api("http", http_api_->probe(), metrics);
  collect_api("grpc", grpc_api_->probe(), metrics);
  collect_failed_handshakes("http", http_server_->probe().failed_handshake_count, metrics);
  collect_failed_handshakes("grpc", grpc_server_->probe().failed_handshake_count, metrics);
  if (admin_server_) {
    collect_failed_handshakes("admin", admin_server_->probe().failed_handshake_count, metrics);
  }
  for (const bool sent : {true, false}) {
    metrics.counter(
        "concerto_alerts_total", "Alerts for the web hook", {{"result", sent ? "sent" : "lost"}},
        static_cast<double>((sent ? alerts_.probe().sent : alerts_.probe().lost).value()));
  }
  metrics.gauge("concerto_buffered_bytes", "Memory for requests and answers that are under way", {},
                static_cast<double>(buffers_->used_bytes()));
  metrics.counter("concerto_buffers_given_up_total",
                  "Times that a connection had to give up requests or answers", {},
                  static_cast<double>(buffers_->shed_count()));
}

Result<> Shard::start() {
  CONCERTO_CHECK(start_thread(thread_, "for a shard", [this] { io_.run(); }));
  asio::post(io_, [this] { heartbeat_.beat(); });
  return ok();
}

void Shard::halt() {
  asio::post(io_, [this] {
    heartbeat_.stop();
    timers_.disarm();
  });
  join();
}

void Shard::join() {
  work_.reset();
  thread_.join();
}

Task<void> Shard::close(SteadyTime deadline) {
  grpc_api_->end_watches();
  co_await http_server_->drain(deadline);
  co_await grpc_server_->drain(deadline);
  if (admin_server_) co_await admin_server_->drain(deadline);
  co_await alerts_.close();
  co_await http_client_.close();
  co_await channels_.close();
  heartbeat_.stop();
  // Timers of deadlines that were met must not keep the thread until they are due.
  timers_.disarm();
}

}  // namespace concerto::tools
