#include "etcd_client.hpp"

#include <algorithm>
#include <etcd_rpc.pb.h>
#include <tuple>

#include <concerto/base/assert.hpp>

namespace concerto::net {
namespace {

/// The options of go-zero's client. A dead connection is detected within 10 s.
GrpcChannelOptions etcd_channel_options(const std::string& host,
                                        const std::shared_ptr<asio::ssl::context>& tls) {
  GrpcChannelOptions options;
  options.tls = tls;
  options.tls_host = host;
  options.message_bytes_max = 64u << 20;  // One message of a watch may have many events.
  options.backoff_max = std::chrono::seconds{2};
  options.keepalive_interval = std::chrono::seconds{5};
  options.keepalive_timeout = std::chrono::seconds{5};
  return options;
}

/// True if a status is about the request. Otherwise the member could not serve the request, and
/// another member may: etcd's "no leader", "request timed out" and "server stopped" are
/// UNAVAILABLE.
bool is_answer(GrpcCode code) {
  switch (code) {
    case GrpcCode::ok:
    case GrpcCode::invalid_argument:
    case GrpcCode::not_found:
    case GrpcCode::already_exists:
    case GrpcCode::permission_denied:
    case GrpcCode::failed_precondition:
    case GrpcCode::out_of_range:
    case GrpcCode::unauthenticated:
      return true;
    default:
      return false;
  }
}

/// True if etcd wants another token: the token has expired, or it is a JWT that is older than the
/// last change of users or roles.
bool refuses_token(const GrpcStatus& status) {
  return status.code == GrpcCode::unauthenticated ||
         status.message == "etcdserver: revision of auth store is old";
}

/// The same set of hosts gives the same text.
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

EtcdStream::EtcdStream(EtcdClient& client, std::size_t member,
                       std::unique_ptr<GrpcClientStream> stream, Timers& timers)
    : client_(client), member_(member), stream_(std::move(stream)), patience_end_(timers, [this] {
        timed_out_ = true;
        stream_->cancel();
      }) {
  client_.streams_.insert(this);
}

EtcdStream::~EtcdStream() {
  client_.streams_.erase(this);
}

void EtcdStream::end_for_policy() {
  ended_for_policy_ = true;
  stream_->cancel();
}

Task<void> EtcdStream::write(std::string message) {
  co_await stream_->write(std::move(message));
}

Task<std::optional<std::string>> EtcdStream::read(SteadyTime deadline) {
  if (deadline != SteadyTime::max()) patience_end_.set(deadline);
  auto message = co_await stream_->read();
  patience_end_.cancel();
  if (message) client_.choice_.succeeded(member_);
  co_return message;
}

Task<Error> EtcdStream::end() {
  const GrpcReply reply = co_await stream_->finish();
  Error reason{make_error_code(GrpcCode::unavailable), "etcd ended the stream"};
  if (ended_for_policy_) {
    reason.detail = "TargetAllow or TargetDeny has changed";
    co_return reason;
  }
  if (timed_out_) {
    reason.detail = "no answer in time";
  } else if (!reply.ok()) {
    reason = to_error(reply);
  }
  if (refuses_token(reply.status)) client_.forget_token();
  if (timed_out_ || reply.ok() || !is_answer(reply.status.code)) {
    client_.note_failure(member_, reason.detail);
  }
  co_return reason;
}

EtcdClient::Member::Member(const DiscoveryShard& shard, const HostPort& host,
                           const std::shared_ptr<asio::ssl::context>& tls)
    : name(host.host + ":" + std::to_string(host.port)),
      addresses(shard, etcd_scheme_name),
      channel(shard.executor, shard.timers, shard.random, addresses,
              etcd_channel_options(host.host, tls)) {
  addresses.set_hosts({host});
}

EtcdClient::EtcdClient(const DiscoveryShard& shard, std::vector<HostPort> hosts, EtcdAccess access)
    : shard_(shard),
      access_(std::move(access)),
      // Coordinators begin with different members.
      choice_(hosts.size(), static_cast<std::size_t>(shard.random.next() % hosts.size())) {
  if (shard_.targets != nullptr) policy_ = &shard_.targets->policy();
  for (const HostPort& host : hosts) {
    members_.push_back(std::make_unique<Member>(shard_, host, access_.tls));
  }
}

void EtcdClient::targets_changed() {
  for (const auto& member : members_) member->addresses.targets_changed();
  const TargetPolicy* now = shard_.targets != nullptr ? &shard_.targets->policy() : nullptr;
  if (std::exchange(policy_, now) == now) return;
  const std::vector<EtcdStream*> open(streams_.begin(), streams_.end());
  for (EtcdStream* stream : open) {
    // The end of one may be the end of another.
    if (streams_.contains(stream)) stream->end_for_policy();
  }
}

bool EtcdClient::is_refused() const noexcept {
  return std::all_of(members_.begin(), members_.end(),
                     [](const auto& member) { return member->addresses.is_refused(); });
}

void EtcdClient::set_tls(const std::shared_ptr<asio::ssl::context>& tls) {
  if (!access_.tls) return;  // It is a client of another etcd.
  access_.tls = tls;
  for (const auto& member : members_) member->channel.set_tls(tls);
}

Task<void> EtcdClient::close() {
  for (const auto& member : members_) {
    member->channel.close();
    co_await member->addresses.close();
  }
}

/// Asks one member after the other. Returns the first reply that is about the request, or else the
/// last failure.
Task<GrpcReply> EtcdClient::ask(std::string method, std::string message, GrpcMetadata metadata,
                                SteadyTime deadline) {
  GrpcReply reply = GrpcReply::failure(GrpcCode::deadline_exceeded, "no time left to ask etcd");
  reply.sent = false;
  for (std::size_t left = members_.size(); left > 0; --left) {
    const SteadyTime now = shard_.timers.now();
    // A member that was not asked, because the time is over, has not failed.
    if (now >= deadline) break;
    const std::size_t index = choice_.pick(now);
    const SteadyTime limit = left == 1 ? deadline : std::min(deadline, now + etcd_patience);
    GrpcMetadata sent = metadata;
    reply = co_await members_[index]->channel.unary(method, message, std::move(sent), limit);
    if (is_answer(reply.status.code)) {
      choice_.succeeded(index);
      break;
    }
    note_failure(index, reply.status.message);
  }
  co_return reply;
}

void EtcdClient::note_failure(std::size_t member, const std::string& reason) {
  if (!choice_.failed(member, shard_.timers.now()) || members_.size() == 1) return;
  shard_.observer.log(LogLevel::warn, {},
                      "etcd: member " + members_[member]->name +
                          " does not serve and is left for another: " + reason);
}

Async<std::string> EtcdClient::call_bytes(std::string method, std::string message,
                                          SteadyTime deadline) {
  for (bool first = true;; first = false) {
    CONCERTO_CO_TRY(GrpcMetadata metadata, co_await credentials(deadline));
    GrpcReply reply = co_await ask(method, message, std::move(metadata), deadline);
    if (reply.ok()) co_return std::move(reply.message);
    if (!refuses_token(reply.status) || access_.user.empty() || !first) {
      co_return to_error(reply);
    }
    forget_token();
  }
}

Async<std::unique_ptr<EtcdStream>> EtcdClient::open_stream(std::string method) {
  CONCERTO_CO_TRY(GrpcMetadata metadata,
                  co_await credentials(shard_.timers.now() + etcd_call_timeout));
  metadata.add("hasleader", "true");
  const std::size_t index = choice_.pick(shard_.timers.now());
  auto stream = members_[index]->channel.open_stream(std::move(method), std::move(metadata),
                                                     SteadyTime::max());
  co_return std::make_unique<EtcdStream>(*this, index, std::move(stream), shard_.timers);
}

Async<GrpcMetadata> EtcdClient::credentials(SteadyTime deadline) {
  GrpcMetadata metadata;
  if (access_.user.empty()) co_return metadata;
  if (token_.empty()) CONCERTO_CO_CHECK(co_await log_in(deadline));
  if (!token_.empty()) metadata.add("token", token_);
  co_return metadata;
}

Async<> EtcdClient::log_in(SteadyTime deadline) {
  const std::string method = "/etcdserverpb.Auth/Authenticate";
  etcdserverpb::AuthenticateRequest request;
  request.set_name(access_.user);
  request.set_password(access_.password);
  GrpcMetadata none;
  const GrpcReply reply =
      co_await ask(method, request.SerializeAsString(), std::move(none), deadline);
  // etcd refuses a log-in while authentication is off. Then no account is needed.
  const bool not_enabled = reply.status.code == GrpcCode::failed_precondition;
  if (!reply.ok() && !not_enabled) co_return to_error(reply);
  CONCERTO_CO_TRY(const auto answer,
                  parse_etcd<etcdserverpb::AuthenticateResponse>(reply.message, method));
  token_ = answer.token();
  co_return ok();
}

Result<std::shared_ptr<EtcdClient>> EtcdClients::acquire(std::string_view hosts,
                                                         const std::string& user,
                                                         const std::string& password) {
  return acquire_for(For::urls, hosts, user, password);
}

Result<std::shared_ptr<EtcdClient>> EtcdClients::acquire_configured(std::string_view hosts) {
  return acquire_for(For::the_operator, hosts, {}, {});
}

Result<std::shared_ptr<EtcdClient>> EtcdClients::acquire_for(For whom, std::string_view hosts,
                                                             const std::string& user,
                                                             const std::string& password) {
  CONCERTO_TRY(auto parsed, parse_host_ports(hosts));
  std::string key = key_of(parsed);
  EtcdAccess access;
  DiscoveryShard shard = shard_;
  if (configured_) {
    const auto configured_hosts = parse_host_ports(configured_->hosts);
    if (configured_hosts && key_of(*configured_hosts) == key) {
      access = *configured_;
    }
  }
  if (!user.empty()) {
    access.user = user;
    access.password = password;
  }
  if (!access.user.empty()) key += access.user + '\0' + access.password;
  if (whom == For::the_operator) {
    shard.targets = nullptr;
    key += '\0';
  }
  Entry& entry = clients_[key];
  if (!entry.client) {
    entry.client = std::make_shared<EtcdClient>(shard, std::move(parsed), std::move(access));
  }
  ++entry.user_count;
  return entry.client;
}

void EtcdClients::targets_changed() {
  for (const auto& [key, entry] : clients_) entry.client->targets_changed();
}

void EtcdClients::set_tls(const std::shared_ptr<asio::ssl::context>& tls) {
  if (!configured_ || !configured_->tls) return;
  configured_->tls = tls;
  for (const auto& [key, entry] : clients_) entry.client->set_tls(tls);
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
