#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/protocol/target_channels.hpp>
#include <concerto/transport/grpc_channel.hpp>

#include "etcd_members.hpp"
#include "host_addresses.hpp"

namespace concerto::net {

/// Limit for one unary call to etcd, including the attempts at all members.
inline constexpr std::chrono::seconds etcd_call_timeout{5};
/// If a member does not answer for this time, another member is asked.
inline constexpr std::chrono::seconds etcd_patience{2};

class EtcdClient;

/// A stream of messages with one member of a cluster. Must be destroyed before its client.
class EtcdStream {
 public:
  EtcdStream(EtcdClient& client, std::size_t member, std::unique_ptr<GrpcClientStream> stream,
             Timers& timers);
  ~EtcdStream();
  EtcdStream(const EtcdStream&) = delete;
  EtcdStream& operator=(const EtcdStream&) = delete;

  /// Queues a message; the next read reports a failure.
  Task<void> write(std::string message);
  /// The next message. No value if the stream has ended, or if no message has come by `deadline`.
  Task<std::optional<std::string>> read(SteadyTime deadline = SteadyTime::max());
  /// Why the stream ended. If the member failed, it is not asked for a while.
  Task<Error> end();
  /// Ends the stream, because its connection may lead to an address that is refused by now.
  void end_for_policy();

 private:
  EtcdClient& client_;
  const std::size_t member_;
  const std::unique_ptr<GrpcClientStream> stream_;
  bool timed_out_ = false;
  bool ended_for_policy_ = false;
  Timer patience_end_;
};

/// Calls to one etcd cluster.
///
/// Each member has its own channel. If a member lives but cannot serve, because it is cut off from
/// the others for example, another member is asked. With an account the client logs in before the
/// first call, and again when etcd does not know the token any more. Used on one shard. Close it
/// before its destruction and after its last use.
class EtcdClient {
 public:
  EtcdClient(const DiscoveryShard& shard, std::vector<HostPort> hosts, EtcdAccess access);
  EtcdClient(const EtcdClient&) = delete;
  EtcdClient& operator=(const EtcdClient&) = delete;

  /// Makes a unary call; request and reply are etcd's protobuf messages.
  template <class Reply, class Request>
  Async<Reply> call(std::string method, Request request) {
    return call_until<Reply>(std::move(method), std::move(request),
                             shard_.timers.now() + etcd_call_timeout);
  }
  template <class Reply, class Request>
  Async<Reply> call_until(std::string method, Request request, SteadyTime deadline);

  /// Opens a stream without a deadline. etcd ends the stream when the member has no leader.
  Async<std::unique_ptr<EtcdStream>> open_stream(std::string method);

  /// There may be another policy about targets: if so, streams end, because each one has a
  /// connection that only the former policy may have allowed.
  void targets_changed();

  /// The policy about targets refuses all addresses that are known of the members.
  bool is_refused() const noexcept;

  /// Call it when etcd has refused something: the next call logs in again.
  void forget_token() { token_.clear(); }

  /// Replaces the context of a client that uses TLS, for new connections.
  void set_tls(const std::shared_ptr<asio::ssl::context>& tls);

  Task<void> close();

 private:
  friend class EtcdStream;

  struct Member {
    Member(const DiscoveryShard& shard, const HostPort& host,
           const std::shared_ptr<asio::ssl::context>& tls);
    const std::string name;
    HostAddresses addresses;
    GrpcChannel channel;
  };

  Async<std::string> call_bytes(std::string method, std::string message, SteadyTime deadline);
  Task<GrpcReply> ask(std::string method, std::string message, GrpcMetadata metadata,
                      SteadyTime deadline);
  Async<GrpcMetadata> credentials(SteadyTime deadline);
  Async<> log_in(SteadyTime deadline);
  void note_failure(std::size_t member, const std::string& reason);

  DiscoveryShard shard_;
  EtcdAccess access_;
  std::string token_;
  std::vector<std::unique_ptr<Member>> members_;
  std::set<EtcdStream*> streams_;
  const TargetPolicy* policy_ = nullptr;  ///< the last one; null without a guard
  EtcdMemberChoice choice_;
};

/// Parses `bytes`, which is the reply of `method`.
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

/// The end of the range of all keys that begin with `prefix`. The prefix must have a byte other
/// than 0xff.
std::string etcd_prefix_end(std::string prefix);

/// The etcd clients of one shard: one client for each set of hosts and account.
class EtcdClients {
 public:
  EtcdClients(const DiscoveryShard& shard, std::optional<EtcdAccess> configured)
      : shard_(shard), configured_(std::move(configured)) {}

  /// The client for the hosts of a URL, such as `h1:2379,h2:2379`, in any order; it is made at its
  /// first use. The policy about targets limits it. If the configured access is for exactly these
  /// hosts, its TLS is used, and also its account if `user` is empty; no other hosts get them. Call
  /// release for each acquired client.
  [[nodiscard]] Result<std::shared_ptr<EtcdClient>> acquire(std::string_view hosts,
                                                            const std::string& user = {},
                                                            const std::string& password = {});

  /// The client for the configured hosts, which no policy about targets limits, because the
  /// operator has chosen them.
  [[nodiscard]] Result<std::shared_ptr<EtcdClient>> acquire_configured(std::string_view hosts);

  void targets_changed();
  /// Replaces the context of the configured access, for new connections of its clients.
  void set_tls(const std::shared_ptr<asio::ssl::context>& tls);

  /// Gives an acquired client back. The last release closes the client.
  Task<void> release(std::shared_ptr<EtcdClient> client);

 private:
  enum class For { urls, the_operator };
  Result<std::shared_ptr<EtcdClient>> acquire_for(For whom, std::string_view hosts,
                                                  const std::string& user,
                                                  const std::string& password);

  struct Entry {
    std::shared_ptr<EtcdClient> client;
    std::size_t user_count = 0;
  };

  DiscoveryShard shard_;
  std::optional<EtcdAccess> configured_;
  std::map<std::string, Entry> clients_;  ///< by sorted hosts, account, and for whom
};

}  // namespace concerto::net
