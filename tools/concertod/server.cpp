#include "server.hpp"

#include <csignal>
#include <future>
#include <sched.h>

#include <boost/asio/use_future.hpp>

#include <concerto/net/etcd_publication.hpp>
#include <concerto/net/http_tls.hpp>

namespace concerto::tools {
namespace {

using asio::ip::tcp;

std::size_t cores_in_affinity_mask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&mask)));
}

/// Calls `start` with the address to listen on; all interfaces means IPv6 and IPv4 where there is
/// IPv6, IPv4 alone otherwise.
template <class Start>
Result<> listen_on(const std::string& address, std::int64_t port_number, const Start& start) {
  const auto port = static_cast<std::uint16_t>(port_number);
  if (address.empty()) {
    const Result<> both = start(tcp::endpoint(tcp::v6(), port));
    if (both) return ok();
    return start(tcp::endpoint(tcp::v4(), port));
  }
  error_code failed;
  const auto parsed = asio::ip::make_address(address, failed);
  if (failed) {
    return make_error(Errc::invalid_request,
                      "ListenAddress '" + address + "' is not an IP address");
  }
  return start(tcp::endpoint(parsed, port));
}

}  // namespace

Server::Server(const Config& config, Store& store, Log& log)
    : config_(config), store_(store), log_(log), observer_(log) {}

Result<> Server::run() {
  CONCERTO_CHECK(set_up());
  wait_for_signal();
  for (auto& shard : shards_) shard->start();
  const Result<> listening = listen();
  if (listening) {
    control_.run();  // until a signal
    log_.info("stopping");
  }
  asio::co_spawn(shards_.front()->executor(), stop(), asio::use_future).get();
  for (auto& shard : shards_) shard->join();
  return listening;
}

Result<> Server::set_up() {
  CONCERTO_TRY(const net::Driver driver, net::parse_driver(config_.micro_service.driver));
  CONCERTO_TRY(publication_, net::parse_publication(driver, config_.micro_service.target,
                                                    config_.micro_service.end_point));
  CONCERTO_TRY(auto tls, net::make_tls_client_context());
  CONCERTO_TRY(auto proxies, net::HttpProxyRules::from_environment());
  ShardSetup setup{config_,
                   clock_,
                   observer_,
                   dns_,
                   driver,
                   std::nullopt,
                   std::move(tls),
                   std::move(proxies),
                   std::make_shared<net::AddressMemory>()};
  if (publication_) setup.etcd_account = publication_->account;
  const std::size_t count = config_.shards > 0 ? config_.shards : cores_in_affinity_mask();
  std::vector<ShardPorts> ports;
  for (std::size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(setup));
    ports.push_back(shards_.back()->ports());
  }
  coordinator_ = std::make_unique<Coordinator>(std::move(ports), store_, clock_, observer_,
                                               config_.coordinator);
  std::vector<net::HttpServer*> http_servers;
  std::vector<net::GrpcServer*> grpc_servers;
  for (auto& shard : shards_) {
    shard->serve(*coordinator_, config_);
    http_servers.push_back(&shard->http_server());
    grpc_servers.push_back(&shard->grpc_server());
  }
  Shard& first = *shards_.front();
  http_listener_ = std::make_unique<net::HttpListener>(first.executor(), first.timers(),
                                                       std::move(http_servers));
  grpc_listener_ = std::make_unique<net::GrpcListener>(first.executor(), first.timers(),
                                                       std::move(grpc_servers));
  background_ = std::make_unique<TaskGroup>(first.executor());
  return ok();
}

template <class Function>
void Server::on_first_shard(Function function) {
  std::promise<void> done;
  asio::post(shards_.front()->executor(), [&] {
    function();
    done.set_value();
  });
  done.get_future().wait();
}

Result<> Server::listen() {
  Result<> result = ok();
  on_first_shard([&] {
    background_->spawn(recover());
    result = listen_on(config_.listen_address, config_.http_port,
                       [&](const tcp::endpoint& at) { return http_listener_->start(at); });
    if (!result) return;
    result = listen_on(config_.listen_address, config_.grpc_port,
                       [&](const tcp::endpoint& at) { return grpc_listener_->listen(at); });
    if (!result || !publication_) return;
    registration_ =
        std::make_unique<net::EtcdRegistration>(shards_.front()->channels(), *publication_);
    registration_->start();
  });
  if (result) {
    log_.info("ready: HTTP on port " + std::to_string(http_listener_->local_endpoint().port()) +
              ", gRPC on port " + std::to_string(grpc_listener_->address().port()) + ", " +
              std::to_string(shards_.size()) + " shards");
  }
  return result;
}

Task<void> Server::recover() {
  const Result<> recovered = co_await coordinator_->recover();
  if (!recovered) {
    log_.error("unfinished transactions cannot be read: " + recovered.error().detail);
  } else {
    log_.info("unfinished transactions in memory or waiting: " +
              std::to_string(coordinator_->in_flight().parked));
  }
}

void Server::wait_for_signal() {
  signals_.async_wait([this](const error_code& failed, int) {
    if (failed) return;
    // Stopping takes a while; whoever asks again does not want to wait. What is stored stands.
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    control_.stop();
  });
}

Task<void> Server::stop() {
  const SteadyTime deadline = clock_.steady_now() + config_.shutdown_grace;
  if (registration_) co_await registration_->stop(clock_.steady_now() + std::chrono::seconds(2));
  for (auto& shard : shards_) {
    asio::post(shard->executor(), [&api = shard->grpc_api()] { api.set_serving(false); });
  }
  co_await http_listener_->stop();
  grpc_listener_->close();
  co_await coordinator_->stop(deadline);
  co_await background_->close();
  // Everybody who waited has an answer by now; it only has to reach them.
  const SteadyTime answered = std::max(deadline, clock_.steady_now() + std::chrono::seconds(1));
  for (auto& shard : shards_) {
    co_await on_shard(shard->executor(), shard->close(answered));
  }
}

}  // namespace concerto::tools
