#include "etcd_client.hpp"

#include <algorithm>
#include <etcd_rpc.pb.h>
#include <tuple>

#include <concerto/core/assert.hpp>

namespace concerto::net {
namespace {

/// How go-zero's client is set: it finds a dead member within 10 s.
GrpcChannelOptions etcd_channel_options() {
  GrpcChannelOptions options;
  options.message_bytes_max = 64u << 20;  // A watch may bring many events in one message.
  options.backoff_max = std::chrono::seconds{2};
  options.keepalive_interval = std::chrono::seconds{5};
  options.keepalive_timeout = std::chrono::seconds{5};
  return options;
}

/// The same text for the same set of hosts.
std::string key_of(std::vector<HostPort> hosts) {
  std::sort(hosts.begin(), hosts.end(), [](const HostPort& left, const HostPort& right) {
    return std::tie(left.host, left.port) < std::tie(right.host, right.port);
  });
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  std::string key;
  for (const auto& [host, port] : hosts) {
    key += host;
    key += ' ';
    key += std::to_string(port);
    key += ',';
  }
  return key;
}

}  // namespace

std::string etcd_prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  CONCERTO_ASSERT(!prefix.empty());
  ++prefix.back();
  return prefix;
}

EtcdClient::EtcdClient(const DiscoveryShard& shard, std::vector<HostPort> hosts,
                       std::optional<EtcdAccount> account)
    : shard_(shard),
      account_(std::move(account)),
      addresses_(shard),
      channel_(shard.executor, shard.timers, shard.random, addresses_, etcd_channel_options()) {
  addresses_.set_hosts(std::move(hosts));
}

Task<void> EtcdClient::close() {
  channel_.close();
  co_await addresses_.close();
}

Async<std::string> EtcdClient::call_bytes(std::string method, std::string message,
                                          SteadyTime deadline) {
  for (bool first = true;; first = false) {
    CONCERTO_CO_TRY(GrpcMetadata metadata, co_await credentials(deadline));
    GrpcReply reply = co_await channel_.unary(method, message, std::move(metadata), deadline);
    if (reply.ok()) co_return std::move(reply.message);
    if (reply.status.code != GrpcCode::unauthenticated || !account_ || !first) {
      co_return to_error(reply);
    }
    forget_token();
  }
}

Async<std::unique_ptr<GrpcClientStream>> EtcdClient::open_stream(std::string method) {
  CONCERTO_CO_TRY(GrpcMetadata metadata,
                  co_await credentials(shard_.timers.now() + etcd_call_timeout));
  metadata.add("hasleader", "true");
  co_return channel_.open_stream(std::move(method), std::move(metadata), SteadyTime::max());
}

Async<GrpcMetadata> EtcdClient::credentials(SteadyTime deadline) {
  GrpcMetadata metadata;
  if (!account_) co_return metadata;
  if (token_.empty()) CONCERTO_CO_CHECK(co_await log_in(deadline));
  if (!token_.empty()) metadata.add("token", token_);
  co_return metadata;
}

Async<> EtcdClient::log_in(SteadyTime deadline) {
  const std::string method = "/etcdserverpb.Auth/Authenticate";
  etcdserverpb::AuthenticateRequest request;
  request.set_name(account_->user);
  request.set_password(account_->password);
  GrpcMetadata none;
  const GrpcReply reply =
      co_await channel_.unary(method, request.SerializeAsString(), std::move(none), deadline);
  // etcd refuses to log in while authentication is off. An account is then simply not needed.
  const bool not_enabled = reply.status.code == GrpcCode::failed_precondition;
  if (!reply.ok() && !not_enabled) co_return to_error(reply);
  CONCERTO_CO_TRY(const auto answer,
                  parse_etcd<etcdserverpb::AuthenticateResponse>(reply.message, method));
  token_ = answer.token();
  co_return ok();
}

Result<std::shared_ptr<EtcdClient>> EtcdClients::acquire(std::string_view hosts) {
  CONCERTO_TRY(auto parsed, parse_host_ports(hosts));
  const std::string key = key_of(parsed);
  Entry& entry = clients_[key];
  if (!entry.client) {
    std::optional<EtcdAccount> account;
    if (account_ && !account_->user.empty()) {
      const auto account_hosts = parse_host_ports(account_->hosts);
      if (account_hosts && key_of(*account_hosts) == key) account = account_;
    }
    entry.client = std::make_shared<EtcdClient>(shard_, std::move(parsed), std::move(account));
  }
  ++entry.user_count;
  return entry.client;
}

Task<void> EtcdClients::release(std::shared_ptr<EtcdClient> client) {
  const auto entry = std::find_if(clients_.begin(), clients_.end(), [&client](const auto& each) {
    return each.second.client == client;
  });
  CONCERTO_ASSERT(entry != clients_.end());
  if (--entry->second.user_count > 0) co_return;
  clients_.erase(entry);
  co_await client->close();
}

}  // namespace concerto::net
