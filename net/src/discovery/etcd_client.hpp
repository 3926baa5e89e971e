#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concerto/core/async.hpp>
#include <concerto/net/grpc_channel.hpp>
#include <concerto/net/target_channels.hpp>

#include "host_addresses.hpp"

namespace concerto::net {

/// Limit for one unary call to etcd; streams have none.
inline constexpr std::chrono::seconds etcd_call_timeout{5};

/// Calls to one etcd cluster, over one channel to all of its hosts.
///
/// With an account it logs in before the first call and again when etcd no longer knows the
/// token. On one shard. Close before destruction, after all users have ended.
class EtcdClient {
 public:
  EtcdClient(const DiscoveryShard& shard, std::vector<HostPort> hosts,
             std::optional<EtcdAccount> account);
  EtcdClient(const EtcdClient&) = delete;
  EtcdClient& operator=(const EtcdClient&) = delete;

  /// One request, one reply; both are etcd's protobuf messages.
  template <class Reply, class Request>
  Async<Reply> call(std::string method, Request request) {
    return call_until<Reply>(std::move(method), std::move(request),
                             shard_.timers.now() + etcd_call_timeout);
  }
  template <class Reply, class Request>
  Async<Reply> call_until(std::string method, Request request, SteadyTime deadline);

  /// A stream without a deadline. etcd ends it when the member has no leader.
  Async<std::unique_ptr<GrpcClientStream>> open_stream(std::string method);

  /// Log in again before the next call: etcd has refused something.
  void forget_token() { token_.clear(); }

  Task<void> close();

 private:
  Async<std::string> call_bytes(std::string method, std::string message, SteadyTime deadline);
  Async<GrpcMetadata> credentials(SteadyTime deadline);
  Async<> log_in(SteadyTime deadline);

  DiscoveryShard shard_;
  std::optional<EtcdAccount> account_;
  std::string token_;
  HostAddresses addresses_;
  GrpcChannel channel_;
};

/// The message in `bytes`, which `method` has sent.
template <class Message>
Result<Message> parse_etcd(const std::string& bytes, std::string_view method) {
  Message message;
  if (message.ParseFromString(bytes)) return message;
  return Error{make_error_code(GrpcCode::internal),
               std::string(method) + ": etcd's answer is malformed"};
}

template <class Reply, class Request>
Async<Reply> EtcdClient::call_until(std::string method, Request request, SteadyTime deadline) {
  CONCERTO_CO_TRY(const std::string bytes,
                  co_await call_bytes(method, request.SerializeAsString(), deadline));
  co_return parse_etcd<Reply>(bytes, method);
}

/// The end of the range of all keys that begin with `prefix`; a key of 0xff bytes only has none.
std::string etcd_prefix_end(std::string prefix);

/// The etcd clients of one shard, one per set of hosts.
class EtcdClients {
 public:
  EtcdClients(const DiscoveryShard& shard, std::optional<EtcdAccount> account)
      : shard_(shard), account_(std::move(account)) {}

  /// The client for `h1:2379,h2:2379`, in whatever order, made at its first use. Every user gives
  /// it back with release.
  [[nodiscard]] Result<std::shared_ptr<EtcdClient>> acquire(std::string_view hosts);

  /// Closes the client with its last user.
  Task<void> release(std::shared_ptr<EtcdClient> client);

 private:
  struct Entry {
    std::shared_ptr<EtcdClient> client;
    std::size_t user_count = 0;
  };

  DiscoveryShard shard_;
  std::optional<EtcdAccount> account_;
  std::map<std::string, Entry> clients_;  ///< by sorted hosts
};

}  // namespace concerto::net
