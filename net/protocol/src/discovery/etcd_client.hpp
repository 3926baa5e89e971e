#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
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

/// Limit for one unary call to etcd, over all members that it is tried at.
inline constexpr std::chrono::seconds etcd_call_timeout{5};
/// A member that answers nothing for this long is left for another one.
inline constexpr std::chrono::seconds etcd_patience{2};

class EtcdClient;

/// A stream of messages with one member of a cluster. Ends before its client.
class EtcdStream {
 public:
  EtcdStream(EtcdClient& client, std::size_t member, std::unique_ptr<GrpcClientStream> stream,
             Timers& timers);

  /// Queues a message; a failure shows in the read that follows.
  Task<void> write(std::string message);
  /// The next message; nothing when the stream has ended or when none has come by `deadline`.
  Task<std::optional<std::string>> read(SteadyTime deadline = SteadyTime::max());
  /// Why it ended. The member is left for a while if that is its fault.
  Task<Error> end();

 private:
  EtcdClient& client_;
  const std::size_t member_;
  const std::unique_ptr<GrpcClientStream> stream_;
  bool timed_out_ = false;
  Timer patience_end_;
};

/// Calls to one etcd cluster.
///
/// Each member has a channel of its own: one that is alive but of no use, such as one that is cut
/// off from the others, is left for another. With an account it logs in before the first call and
/// again when etcd no longer knows the token. On one shard. Close before destruction, after all
/// users have ended.
class EtcdClient {
 public:
  EtcdClient(const DiscoveryShard& shard, std::vector<HostPort> hosts, EtcdAccess access);
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
  Async<std::unique_ptr<EtcdStream>> open_stream(std::string method);

  /// Log in again before the next call: etcd has refused something.
  void forget_token() { token_.clear(); }

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
  EtcdMemberChoice choice_;
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

/// The etcd clients of one shard, one per set of hosts and user.
class EtcdClients {
 public:
  EtcdClients(const DiscoveryShard& shard, std::optional<EtcdAccess> configured)
      : shard_(shard), configured_(std::move(configured)) {}

  /// The client for `h1:2379,h2:2379`, in whatever order, made at its first use. If the
  /// configured access is for these hosts its TLS is taken, and without a `user` its account. Every
  /// user gives the client back with release.
  [[nodiscard]] Result<std::shared_ptr<EtcdClient>> acquire(std::string_view hosts,
                                                            const std::string& user = {},
                                                            const std::string& password = {});

  /// Closes the client with its last user.
  Task<void> release(std::shared_ptr<EtcdClient> client);

 private:
  struct Entry {
    std::shared_ptr<EtcdClient> client;
    std::size_t user_count = 0;
  };

  DiscoveryShard shard_;
  std::optional<EtcdAccess> configured_;
  std::map<std::string, Entry> clients_;  ///< by sorted hosts and account
};

}  // namespace concerto::net
