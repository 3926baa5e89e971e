#pragma once

#include <cstdint>
#include <etcd_rpc.pb.h>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <concerto/base/notifier.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/grpc_server.hpp>
#include <concerto/transport/listener.hpp>

namespace concerto::net::test {

/// The part of etcd that Concerto uses, within the test's process: keys with revisions, watches
/// with history, leases that expire when a test says so, and log-in. It listens on a real socket
/// and can be stopped and started like a process.
class ScriptedEtcd {
 public:
  ScriptedEtcd(Executor executor, Timers& timers);
  /// Another member of the same cluster, with the same data.
  ScriptedEtcd(Executor executor, Timers& timers, const ScriptedEtcd& other);
  ~ScriptedEtcd();

  /// Listens: the first time on a free port, later on the same port.
  void start();
  /// Ends all connections.
  Task<void> stop();

  /// `127.0.0.1:<port>`, known after the first start.
  std::string hosts() const;

  void put(const std::string& key, const std::string& value, std::int64_t lease = 0);
  void erase(const std::string& key);
  /// Compacts the history up to now: a watch from an older revision is refused.
  void compact() { cluster_->compacted = cluster_->revision; }
  /// Before the next watch begins, another key is written and the history is compacted.
  void compact_before_next_watch() { compact_before_watch_ = true; }
  void expire(std::int64_t lease);
  void lose_data();
  /// Ends the streams of watches and renewals, but not the connections.
  void end_streams();
  /// This member is cut off from the others: like etcd it ends every call and stream.
  void lose_leader() {
    leaderless_ = true;
    end_streams();
  }
  void find_leader() { leaderless_ = false; }
  /// Leaves the connections open and answers nothing any more.
  void hang() { hanging_ = true; }
  void resume() {
    hanging_ = false;
    unhung_.notify_all();
  }

  void require_login(const std::string& user, const std::string& password);
  /// All tokens become invalid.
  void forget_tokens() { token_ += "x"; }
  /// All tokens become invalid because roles were changed, with the error of an etcd that uses JWT.
  void outdate_tokens() {
    forget_tokens();
    tokens_are_outdated_ = true;
  }

  std::map<std::string, std::string> values() const;
  const std::vector<std::int64_t>& granted() const noexcept { return cluster_->granted; }
  const std::vector<std::int64_t>& granted_ttls() const noexcept { return cluster_->granted_ttls; }
  const std::vector<std::int64_t>& revoked() const noexcept { return cluster_->revoked; }
  int range_count() const noexcept { return range_count_; }
  int renewal_count() const noexcept { return renewal_count_; }
  int login_count() const noexcept { return login_count_; }
  std::size_t watch_count() const noexcept { return watch_count_; }

 private:
  struct Stored {
    std::string value;
    std::int64_t lease = 0;
    std::int64_t revision = 0;
  };
  struct Change {
    std::int64_t revision;
    mvccpb::Event event;
  };

  /// The data that all members share.
  struct Cluster {
    explicit Cluster(Executor executor) : changed(executor) {}
    Notifier changed;
    std::map<std::string, Stored> keys;
    std::vector<Change> history;
    std::int64_t revision = 1;
    std::int64_t compacted = 0;
    std::int64_t next_lease = 7'587'881'000;
    std::vector<std::int64_t> leases;
    std::vector<std::int64_t> granted, granted_ttls, revoked;
  };

  template <class Request>
  using Handler = GrpcReply (ScriptedEtcd::*)(const Request&);
  template <class Request>
  void add(const char* method, Handler<Request> handler);
  template <class Request>
  Task<GrpcReply> answer(GrpcRequest request, Handler<Request> handler);

  GrpcReply range(const etcdserverpb::RangeRequest& request);
  GrpcReply store(const etcdserverpb::PutRequest& request);
  GrpcReply grant(const etcdserverpb::LeaseGrantRequest& request);
  GrpcReply revoke(const etcdserverpb::LeaseRevokeRequest& request);
  GrpcReply log_in(const etcdserverpb::AuthenticateRequest& request);
  Task<GrpcStatus> watch(GrpcServerStream& stream);
  Task<GrpcStatus> keep_alive(GrpcServerStream& stream);

  bool allowed(const GrpcMetadata& metadata) const;
  void change(mvccpb::Event event);
  bool has_lease(std::int64_t lease) const;

  Executor executor_;
  Timers& timers_;
  std::shared_ptr<Cluster> cluster_;
  Notifier unhung_;
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;

  unsigned streams_generation_ = 0;
  bool compact_before_watch_ = false;
  bool hanging_ = false;
  bool leaderless_ = false;
  bool tokens_are_outdated_ = false;
  std::string user_, password_, token_ = "token";

  int range_count_ = 0, renewal_count_ = 0, login_count_ = 0;
  std::size_t watch_count_ = 0;
};

}  // namespace concerto::net::test
