#pragma once

#include <memory>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/engine/bulk_actions.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/protocol/alert_hook.hpp>
#include <concerto/protocol/api_grpc.hpp>
#include <concerto/protocol/api_http.hpp>
#include <concerto/protocol/authenticator.hpp>
#include <concerto/protocol/branch_dispatcher.hpp>
#include <concerto/protocol/gate.hpp>
#include <concerto/protocol/gated_router.hpp>
#include <concerto/protocol/grpc_branch_caller.hpp>
#include <concerto/protocol/http_branch_caller.hpp>
#include <concerto/protocol/target_channels.hpp>
#include <concerto/transport/address_memory.hpp>
#include <concerto/transport/failed_handshakes.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/http_client.hpp>
#include <concerto/transport/http_server.hpp>
#include <concerto/transport/socket_budget.hpp>
#include <concerto/transport/system.hpp>
#include <concerto/transport/target_guard.hpp>

#include "config.hpp"
#include "descriptor_plan.hpp"
#include "heartbeat.hpp"
#include "ops_pages.hpp"
#include "shard_observer.hpp"
#include "tls_setup.hpp"

namespace concerto::tools {

/// The objects that all shards share. All of them must outlive the shards.
struct ShardSetup {
  const Config& config;
  const Clock& clock;
  Log& log;
  net::DnsWorkers& dns;
  net::Driver driver;
  std::optional<net::EtcdAccess> etcd_access;
  TlsContexts tls;
  net::HttpProxyRules proxies;
  const net::TargetGuard& targets;
  std::shared_ptr<net::AddressMemory> memory;  ///< what the shards have read from registries
  DescriptorPlan descriptors;
  std::shared_ptr<const net::AccessRules> access;  ///< null: nobody is asked who they are
  net::CallerNames& caller_names;
  net::WrongTokens& wrong_tokens;
  net::RightTokens& right_tokens;
  net::RequestLimiter& limiter;
  std::shared_ptr<net::SocketBudget> grpc_calls;  ///< connections to gRPC services
  std::size_t shards;
  net::ActionAudit* audit;  ///< null: no audit log
  net::SpanQueue* spans;    ///< null: nothing is recorded
};

/// What the servers of one port share over all shards.
struct ClientPort {
  std::shared_ptr<net::SocketBudget> sockets;  ///< the limit on connections of clients
  std::shared_ptr<net::FailedHandshakes> failed_handshakes;
};

struct ClientPorts {
  ClientPort http;
  ClientPort grpc;
  ClientPort admin;  ///< without sockets: there is no such port
  TlsContext tls;    ///< null: plain text
};

/// The io_context of one core with everything that uses it: calls to branches, and the servers of
/// the front ends. A shard is made and destroyed on the main thread, while the shard's thread does
/// not run.
class Shard {
 public:
  explicit Shard(const ShardSetup& setup);

  /// The parts of this shard that the coordinator needs.
  ShardPorts ports();

  /// Makes the front ends for the coordinator. Call it once, before `start`.
  void serve(Coordinator& coordinator, BulkActions& bulk, const Config& config,
             const OpsPages& pages, const ClientPorts& ports);

  /// Applies the keys that may change while the server runs, the policy
  /// about targets, and TLS for new connections. Call it
  /// on the shard.
  Task<void> reload(const Config& config, TlsContexts tls);

  /// Replaces the rules of who may call, if the shard was made with some. Call it on the shard.
  void set_access(std::shared_ptr<const net::AccessRules> access);

  /// Adds the counts of this shard. Call it on the shard.
  void collect(MetricSet& metrics) const;

  const Heartbeat& heartbeat() const noexcept { return heartbeat_; }

  /// Starts the thread. The error says that the system has no more threads.
  [[nodiscard]] Result<> start();
  /// Ends the thread of a shard that has done no work yet.
  void halt();
  /// Lets the thread end when it has no more work, and waits for its end.
  void join();

  /// Ends the requests that still run in the front ends, then the calls to branches.
  Task<void> close(SteadyTime deadline);

  Executor executor() { return io_.get_executor(); }
  Timers& timers() noexcept { return timers_; }
  net::TargetChannels& channels() noexcept { return channels_; }
  net::HttpServer& http_server() noexcept { return *http_server_; }
  net::GrpcServer& grpc_server() noexcept { return *grpc_server_; }
  /// Null without an admin port.
  net::HttpServer* admin_server() noexcept { return admin_server_.get(); }
  net::GrpcApi& grpc_api() noexcept { return *grpc_api_; }

 private:
  std::unique_ptr<net::HttpServer> make_http_server(net::GatedRouter& router, const Config& config,
                                                    const ClientPort& port, TlsContext tls);

  asio::io_context io_{1};
  const std::size_t shards_;
  const Clock& clock_;
  Timers timers_;
  Heartbeat heartbeat_;
  ShardObserver observer_;
  net::SystemRandom random_;
  net::SystemHostResolver resolver_;
  std::shared_ptr<net::BufferBudget> buffers_;  ///< of both servers, and of answers to the client
  net::HttpClient http_client_;
  net::TargetChannels channels_;
  net::HttpBranchCaller http_branches_;
  net::GrpcBranchCaller grpc_branches_;
  net::BranchDispatcher branches_;
  net::AlertHook alerts_;

  std::unique_ptr<net::Authenticator> authenticator_;  ///< null: nobody is asked
  const net::Gate gate_;
  net::GatedRouter router_;
  const net::Gate admin_gate_;
  net::GatedRouter admin_router_;
  std::unique_ptr<net::HttpApi> http_api_;
  std::unique_ptr<net::GrpcApi> grpc_api_;
  std::unique_ptr<net::HttpServer> http_server_;
  std::unique_ptr<net::GrpcServer> grpc_server_;
  std::unique_ptr<net::HttpServer> admin_server_;  ///< null without an admin port

  asio::executor_work_guard<Executor> work_;
  std::thread thread_;
};

}  // namespace concerto::tools
