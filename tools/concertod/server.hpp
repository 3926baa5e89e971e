#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/signal_set.hpp>

#include <concerto/net/etcd_registration.hpp>
#include <concerto/net/grpc_listener.hpp>
#include <concerto/net/http_listener.hpp>

#include "config.hpp"
#include "logging.hpp"
#include "shard.hpp"

namespace concerto::tools {

/// The coordinator as a process: shards, front ends, registration, and the order in which they
/// start and stop. Built, run and destroyed on the main thread.
class Server {
 public:
  /// The referenced objects outlive the server.
  Server(const Config& config, Store& store, Log& log);

  /// Serves until SIGINT or SIGTERM and stops in order; a second signal ends the process without
  /// waiting. An error tells why nothing could be served.
  Result<> run();

 private:
  Result<> set_up();
  Result<> listen();
  Task<void> recover();
  void wait_for_signal();
  Task<void> stop();
  template <class Function>
  void on_first_shard(Function function);

  const Config& config_;
  Store& store_;
  Log& log_;
  LogObserver observer_;
  net::SystemClock clock_;
  net::DnsWorkers dns_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::unique_ptr<Coordinator> coordinator_;
  std::optional<net::EtcdPublication> publication_;

  // On the first shard.
  std::unique_ptr<net::HttpListener> http_listener_;
  std::unique_ptr<net::GrpcListener> grpc_listener_;
  std::unique_ptr<net::EtcdRegistration> registration_;
  std::unique_ptr<TaskGroup> background_;

  asio::io_context control_{1};
  asio::signal_set signals_{control_, SIGINT, SIGTERM};
};

}  // namespace concerto::tools
