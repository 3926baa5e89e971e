// The ports of a server: who may connect, and how often.

#include "client_setup.hpp"
#include "server.hpp"

namespace concerto::tools {
namespace {

/// Connections at the admin port at one time. They are not taken from those of the clients, nor by
/// them.
constexpr std::size_t admin_connections_max = 128;

/// Of one address, so that whoever opens them and stays silent keeps no operator out. Trusted
/// proxies have those of many.
constexpr std::size_t admin_connections_of_client_max = 32;

}  // namespace

std::size_t Server::operators_max() const noexcept {
  return config_.admin.port != 0 ? admin_connections_max : 0;
}

std::shared_ptr<net::ClientConnections> Server::make_connections(std::string limit) {
  return std::make_shared<net::ClientConnections>(
      clock_, [this](const std::string& text) { log_.warn(text); }, std::move(limit));
}

/// Gives connections their numbers by the plan: at the start, and after a reload of MaxConnections.
void Server::share_descriptors() {
  const std::size_t per_port = config_.limits.connections_max;
  if (descriptors_.warning) log_.warn(*descriptors_.warning);
  if (!all_clients_) {
    all_clients_ = std::make_shared<net::SocketBudget>(descriptors_.clients_max);
    client_ports_ = {make_client_port("HTTP"), make_client_port("gRPC"), make_admin_port(),
                     nullptr};
    grpc_calls_ = std::make_shared<net::SocketBudget>(descriptors_.grpc_calls_max);
  }
  all_clients_->set_max(descriptors_.clients_max);
  client_ports_.http.sockets->set_max(per_port);
  client_ports_.grpc.sockets->set_max(per_port);
}

ClientPort Server::make_client_port(std::string name) {
  return {std::make_shared<net::SocketBudget>(config_.limits.connections_max, all_clients_),
          std::make_shared<net::FailedHandshakes>(
              clock_, std::move(name), [this](const std::string& text) { log_.warn(text); })};
}

ClientPort Server::make_admin_port() {
  if (config_.admin.port == 0) return {};
  ClientPort port = make_client_port("admin");
  port.sockets = std::make_shared<net::SocketBudget>(admin_connections_max);
  return port;
}

/// Proxies that begin their connections to a port with a header, if the port expects that.
net::ProxyPort Server::proxy_port(const net::AddressSet& trusted, bool greets, std::string name) {
  return {greets ? trusted : net::AddressSet{}, config_.limits.read_timeout, std::move(name),
          [this](const std::string& text) { log_.warn(text); }};
}

/// Puts the limits for each client into force. Trusted proxies have
/// connections of many clients.
Result<> Server::set_client_limits() {
  CONCERTO_TRY(const auto limits, read_limits(config_.client_limits));
  CONCERTO_TRY(const auto without, net::AddressSet::parse(config_.client_limits.exempt + "," +
                                                          config_.proxies.trusted));
  limiter_.set_limits(limits);
  client_connections_->set_limit(config_.client_limits.connections, without);
  CONCERTO_TRY(const auto proxies, net::AddressSet::parse(config_.proxies.trusted));
  admin_connections_->set_limit(admin_connections_of_client_max, proxies);
  return ok();
}

std::unique_ptr<net::Listener> Server::make_listener(std::vector<net::ConnectionServer*> servers,
                                                     net::ProxyPort proxies) {
  Shard& first = *shards_.front();
  auto listener = std::make_unique<net::Listener>(first.executor(), first.timers(),
                                                  std::move(servers), &shortage_);
  listener->expect_proxies(std::move(proxies));
  return listener;
}

void Server::make_listeners(const Proxies& proxies) {
  std::vector<net::ConnectionServer*> http;
  std::vector<net::ConnectionServer*> grpc;
  std::vector<net::ConnectionServer*> admin;
  for (auto& shard : shards_) {
    http.push_back(&shard->http_server());
    grpc.push_back(&shard->grpc_server());
    if (shard->admin_server() != nullptr) admin.push_back(shard->admin_server());
  }
  const net::AddressSet& trusted = proxies.trusted;
  http_listener_ = make_listener(http, proxy_port(trusted, proxies.greet_http, "HTTP"));
  grpc_listener_ = make_listener(grpc, proxy_port(trusted, proxies.greet_grpc, "gRPC"));
  http_listener_->limit_clients(client_connections_);
  grpc_listener_->limit_clients(client_connections_);
  if (admin.empty()) return;
  admin_listener_ = make_listener(admin, proxy_port(trusted, proxies.greet_admin, "admin"));
  admin_listener_->limit_clients(admin_connections_);
}

}  // namespace concerto::tools
