#include "scripted_etcd.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace concerto::net::test {
namespace {

constexpr const char* no_leader = "etcdserver: no leader";
constexpr const char* login_method = "/etcdserverpb.Auth/Authenticate";

template <class Message>
GrpcReply reply_with(Message message, std::int64_t revision) {
  message.mutable_header()->set_revision(revision);
  return GrpcReply::success(message.SerializeAsString());
}

bool in_range(const std::string& key, const std::string& from, const std::string& to) {
  return to.empty() ? key == from : key >= from && key < to;
}

}  // namespace

ScriptedEtcd::ScriptedEtcd(Executor executor, Timers& timers)
    : executor_(executor),
      timers_(timers),
      cluster_(std::make_shared<Cluster>(executor)),
      unhung_(executor) {}

ScriptedEtcd::ScriptedEtcd(Executor executor, Timers& timers, const ScriptedEtcd& other)
    : executor_(executor), timers_(timers), cluster_(other.cluster_), unhung_(executor) {}

ScriptedEtcd::~ScriptedEtcd() = default;

template <class Request>
void ScriptedEtcd::add(const char* method, Handler<Request> handler) {
  server_->add_unary(method, [this, handler](GrpcRequest request) {
    return answer<Request>(std::move(request), handler);
  });
}

template <class Request>
Task<GrpcReply> ScriptedEtcd::answer(GrpcRequest request, Handler<Request> handler) {
  while (hanging_) co_await unhung_.wait();
  if (leaderless_) co_return GrpcReply::failure(GrpcCode::unavailable, no_leader);
  if (request.method != login_method && !allowed(request.metadata)) {
    if (tokens_are_outdated_) {
      co_return GrpcReply::failure(GrpcCode::invalid_argument,
                                   "etcdserver: revision of auth store is old");
    }
    co_return GrpcReply::failure(GrpcCode::unauthenticated, "etcdserver: invalid auth token");
  }
  Request message;
  if (!message.ParseFromString(request.message)) {
    co_return GrpcReply::failure(GrpcCode::internal, "malformed request");
  }
  co_return (this->*handler)(message);
}

void ScriptedEtcd::start() {
  hanging_ = false;
  server_ = std::make_unique<GrpcServer>(executor_, timers_);
  add("/etcdserverpb.KV/Range", &ScriptedEtcd::range);
  add("/etcdserverpb.KV/Put", &ScriptedEtcd::store);
  add("/etcdserverpb.Lease/LeaseGrant", &ScriptedEtcd::grant);
  add("/etcdserverpb.Lease/LeaseRevoke", &ScriptedEtcd::revoke);
  add(login_method, &ScriptedEtcd::log_in);
  server_->add_stream("/etcdserverpb.Watch/Watch",
                      [this](GrpcServerStream& stream) { return watch(stream); });
  server_->add_stream("/etcdserverpb.Lease/LeaseKeepAlive",
                      [this](GrpcServerStream& stream) { return keep_alive(stream); });
  listener_ =
      std::make_unique<Listener>(executor_, timers_, std::vector<ConnectionServer*>{server_.get()});
  const auto listening = listener_->listen({asio::ip::address_v4::loopback(), port_});
  if (!listening) throw std::runtime_error(listening.error().detail);
  port_ = listener_->address().port();
}

Task<void> ScriptedEtcd::stop() {
  if (!server_) co_return;
  listener_->close();
  resume();
  end_streams();
  co_await server_->drain(timers_.now());
  listener_.reset();
  server_.reset();
}

std::string ScriptedEtcd::hosts() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void ScriptedEtcd::put(const std::string& key, const std::string& value, std::int64_t lease) {
  cluster_->keys[key] = Stored{value, lease, cluster_->revision + 1};
  mvccpb::Event event;
  event.set_type(mvccpb::Event::PUT);
  event.mutable_kv()->set_key(key);
  event.mutable_kv()->set_value(value);
  change(std::move(event));
}

void ScriptedEtcd::erase(const std::string& key) {
  if (cluster_->keys.erase(key) == 0) return;
  mvccpb::Event event;
  event.set_type(mvccpb::Event::DELETE);
  event.mutable_kv()->set_key(key);
  change(std::move(event));
}

void ScriptedEtcd::change(mvccpb::Event event) {
  ++cluster_->revision;
  event.mutable_kv()->set_mod_revision(cluster_->revision);
  cluster_->history.push_back({cluster_->revision, std::move(event)});
  cluster_->changed.notify_all();
}

void ScriptedEtcd::expire(std::int64_t lease) {
  std::erase(cluster_->leases, lease);
  std::vector<std::string> gone;
  for (const auto& [key, stored] : cluster_->keys) {
    if (stored.lease == lease) gone.push_back(key);
  }
  for (const auto& key : gone) erase(key);
}

void ScriptedEtcd::lose_data() {
  cluster_->keys.clear();
  cluster_->history.clear();
  cluster_->leases.clear();
  cluster_->revision = 1;
  cluster_->compacted = 0;
}

void ScriptedEtcd::end_streams() {
  ++streams_generation_;
  cluster_->changed.notify_all();
}

void ScriptedEtcd::require_login(const std::string& user, const std::string& password) {
  user_ = user;
  password_ = password;
}

std::map<std::string, std::string> ScriptedEtcd::values() const {
  std::map<std::string, std::string> values;
  for (const auto& [key, stored] : cluster_->keys) values.emplace(key, stored.value);
  return values;
}

bool ScriptedEtcd::allowed(const GrpcMetadata& metadata) const {
  return user_.empty() || metadata.find("token") == token_;
}

bool ScriptedEtcd::has_lease(std::int64_t lease) const {
  return std::find(cluster_->leases.begin(), cluster_->leases.end(), lease) !=
         cluster_->leases.end();
}

GrpcReply ScriptedEtcd::range(const etcdserverpb::RangeRequest& request) {
  ++range_count_;
  etcdserverpb::RangeResponse response;
  for (const auto& [key, stored] : cluster_->keys) {
    if (!in_range(key, request.key(), request.range_end())) continue;
    if (request.limit() > 0 && response.kvs_size() == request.limit()) {
      response.set_more(true);
      break;
    }
    auto& kv = *response.add_kvs();
    kv.set_key(key);
    kv.set_value(stored.value);
    kv.set_mod_revision(stored.revision);
  }
  return reply_with(std::move(response), cluster_->revision);
}

GrpcReply ScriptedEtcd::store(const etcdserverpb::PutRequest& request) {
  if (request.lease() != 0 && !has_lease(request.lease())) {
    return GrpcReply::failure(GrpcCode::not_found, "etcdserver: requested lease not found");
  }
  put(request.key(), request.value(), request.lease());
  return reply_with(etcdserverpb::PutResponse{}, cluster_->revision);
}

GrpcReply ScriptedEtcd::grant(const etcdserverpb::LeaseGrantRequest& request) {
  cluster_->leases.push_back(++cluster_->next_lease);
  cluster_->granted.push_back(cluster_->next_lease);
  cluster_->granted_ttls.push_back(request.ttl());
  etcdserverpb::LeaseGrantResponse response;
  response.set_id(cluster_->next_lease);
  response.set_ttl(request.ttl());
  return reply_with(std::move(response), cluster_->revision);
}

GrpcReply ScriptedEtcd::revoke(const etcdserverpb::LeaseRevokeRequest& request) {
  if (!has_lease(request.id())) {
    return GrpcReply::failure(GrpcCode::not_found, "etcdserver: requested lease not found");
  }
  cluster_->revoked.push_back(request.id());
  expire(request.id());
  return reply_with(etcdserverpb::LeaseRevokeResponse{}, cluster_->revision);
}

GrpcReply ScriptedEtcd::log_in(const etcdserverpb::AuthenticateRequest& request) {
  ++login_count_;
  if (user_.empty()) {
    return GrpcReply::failure(GrpcCode::failed_precondition,
                              "etcdserver: authentication is not enabled");
  }
  if (request.name() != user_ || request.password() != password_) {
    return GrpcReply::failure(GrpcCode::invalid_argument,
                              "etcdserver: authentication failed, invalid user ID or password");
  }
  etcdserverpb::AuthenticateResponse response;
  response.set_token(token_);
  return reply_with(std::move(response), cluster_->revision);
}

Task<GrpcStatus> ScriptedEtcd::watch(GrpcServerStream& stream) {
  if (leaderless_) co_return GrpcStatus{GrpcCode::unavailable, no_leader};
  stream.on_cancelled([this] { cluster_->changed.notify_all(); });
  const unsigned generation = streams_generation_;
  const auto bytes = co_await stream.read();
  etcdserverpb::WatchRequest request;
  if (!bytes || !request.ParseFromString(*bytes)) co_return GrpcStatus{};
  const auto& create = request.create_request();
  if (std::exchange(compact_before_watch_, false)) {
    put("elsewhere", "x");
    put("elsewhere", "y");
    compact();
  }

  etcdserverpb::WatchResponse created;
  created.set_created(true);
  created.mutable_header()->set_revision(cluster_->revision);
  const bool refused =
      create.start_revision() <= cluster_->compacted || !allowed(stream.metadata());
  if (refused) {
    created.set_canceled(true);
    if (create.start_revision() <= cluster_->compacted)
      created.set_compact_revision(cluster_->compacted);
    created.set_cancel_reason("refused");
  }
  co_await stream.write(created.SerializeAsString());
  if (refused) co_return GrpcStatus{};

  ++watch_count_;
  std::int64_t next = create.start_revision();
  while (!stream.cancelled() && generation == streams_generation_) {
    etcdserverpb::WatchResponse response;
    response.mutable_header()->set_revision(cluster_->revision);
    for (const auto& [revision, event] : cluster_->history) {
      if (revision < next) continue;
      if (!in_range(event.kv().key(), create.key(), create.range_end())) continue;
      *response.add_events() = event;
    }
    next = cluster_->revision + 1;
    if (response.events().empty()) {
      co_await cluster_->changed.wait();
    } else {
      co_await stream.write(response.SerializeAsString());
    }
  }
  --watch_count_;
  if (leaderless_) co_return GrpcStatus{GrpcCode::unavailable, no_leader};
  co_return GrpcStatus{};
}

Task<GrpcStatus> ScriptedEtcd::keep_alive(GrpcServerStream& stream) {
  const unsigned generation = streams_generation_;
  while (const auto bytes = co_await stream.read()) {
    if (leaderless_) co_return GrpcStatus{GrpcCode::unavailable, no_leader};
    if (generation != streams_generation_) break;
    while (hanging_) co_await unhung_.wait();
    etcdserverpb::LeaseKeepAliveRequest request;
    if (!request.ParseFromString(*bytes)) break;
    ++renewal_count_;
    etcdserverpb::LeaseKeepAliveResponse response;
    response.set_id(request.id());
    response.set_ttl(has_lease(request.id()) ? 10 : 0);
    co_await stream.write(response.SerializeAsString());
  }
  co_return GrpcStatus{};
}

}  // namespace concerto::net::test
