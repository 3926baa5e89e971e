#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include <concerto/base/timers.hpp>
#include <concerto/client/client.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/protocol/target_channels.hpp>
#include <concerto/transport/http_client.hpp>
#include <concerto/transport/system.hpp>

namespace concerto::client::detail {

/// How the coordinator is spoken to.
enum class Wire { http, json_rpc, grpc };

/// A call that the application makes to a branch itself.
struct OwnCall {
  std::string gid;
  std::string trans_type;
  std::string branch_id;
  std::string op;
  std::string url;
  std::string payload;
  std::map<std::string, std::string> headers;
  std::chrono::seconds request_timeout{};  ///< 0: that of the client
  bool reads = false;                      ///< over HTTP: GET without a body
  std::string phase2_url = {};             ///< of a branch of XA
  /// Of a workflow: the URL decides about the transport, an HTTP answer counts by its status alone,
  /// and over HTTP the coordinator is not named.
  bool is_step = false;
};

/// How such a call ended.
struct CallEnd {
  Result<std::string> result;
  std::string answer;  ///< after a FAILURE: what a workflow records of it
};

/// Nobody reads what discovery has to say; its errors come back with the calls.
class NoObserver final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
};

/// The connections of a client, and the requests that all modes make.
class Core {
 public:
  Core(Executor executor, std::string coordinator, ClientOptions options);

  /// `operation` as in the path of HTTP: `submit`. Returns the body or the message of the answer.
  Async<std::string> ask(std::string operation, const TransRequest& request);
  /// The same without the answer.
  Async<> send(std::string operation, const TransRequest& request);
  Async<> register_branch(BranchRequest request);
  /// The same over a connection of its own. Blocks, also the executor's thread.
  Result<> register_branch_now(BranchRequest request) const;
  /// Returns the workflow with its records.
  Async<Transaction> prepare_workflow(TransRequest request);
  Async<std::string> new_gid();
  /// Calls a branch over the transport of its URL. An empty URL is a success.
  Async<std::string> call_branch(OwnCall call);
  Task<CallEnd> call(OwnCall call);

  Wire wire() const noexcept { return wire_; }
  Task<void> close();
  /// For the destructor of the client: ends the requests that run, and returns when they have
  /// ended.
  void end();

 private:
  Async<std::string> over_http(std::string method, std::string operation, std::string body);
  Async<std::string> over_grpc(std::string operation, std::string message);
  Task<CallEnd> call_over_http(OwnCall call);
  Task<CallEnd> call_over_grpc(OwnCall call);
  Task<void> close_and_wait();
  SteadyTime deadline(std::chrono::seconds own) const;

  /// A request that uses the connections.
  class Running {
   public:
    explicit Running(Core& core) : core_(core) { core_.running_.fetch_add(1); }
    ~Running() { core_.running_.fetch_sub(1); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    Core& core_;
  };

  const Executor executor_;
  const std::string coordinator_;
  const ClientOptions options_;
  const Wire wire_;
  net::SystemClock clock_;
  net::SystemRandom random_;
  NoObserver observer_;
  Timers timers_;
  net::DnsWorkers dns_;
  net::SystemHostResolver resolver_;
  const net::DiscoveryShard shard_;
  net::HttpClient http_;
  net::TargetChannels coordinator_channels_;
  net::TargetChannels branch_channels_;
  std::atomic<std::size_t> running_ = 0;
};

}  // namespace concerto::client::detail
