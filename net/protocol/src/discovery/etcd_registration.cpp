#include <algorithm>
#include <chrono>
#include <cstdint>
#include <etcd_rpc.pb.h>
#include <string>
#include <utility>
#include <vector>

#include <concerto/base/assert.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/protocol/etcd_registration.hpp>

#include "etcd_client.hpp"
#include "told_reasons.hpp"

namespace concerto::net {
namespace {

// The values of go-zero's publisher.
constexpr std::chrono::seconds lease_ttl{10};
constexpr std::chrono::seconds retry_pause{1};
/// The pause between two streams that renew one lease. The next stream may go to another member.
constexpr std::chrono::milliseconds renewal_pause{200};

constexpr std::size_t unrevoked_max = 8;

constexpr const char* keep_alive_method = "/etcdserverpb.Lease/LeaseKeepAlive";

struct Lease {
  std::int64_t id = 0;
  SteadyTime::duration ttl{};
  SteadyTime expires_at;
};

Error lease_lost() {
  return Error{make_error_code(GrpcCode::not_found), "etcd does not know the lease any more"};
}

}  // namespace

class EtcdRegistration::Impl {
 public:
  Impl(TargetChannels& targets, RegistrationPlan plan)
      : shard_(targets.shard()),
        clients_(targets.etcd_clients()),
        plan_(std::move(plan)),
        tasks_(shard_.executor) {
    auto client = clients_.acquire_configured(plan_.access.hosts);
    CONCERTO_ASSERT(client.has_value());  // parse_registration has checked the hosts.
    client_ = std::move(*client);
  }

  void start() { tasks_.spawn(run()); }
  bool registered() const noexcept { return registered_; }
  Task<void> stop(SteadyTime deadline);

 private:
  Task<void> run();
  Async<> hold_lease();
  Async<> grant();
  Async<> put_address();
  Async<> renew_until_lost();
  Async<> renew();
  Async<bool> has_address(SteadyTime deadline);
  Task<void> put_again_if_gone(SteadyTime deadline);
  Async<> revoke(std::int64_t lease_id, SteadyTime deadline);
  Task<void> give_up_lease();
  Task<void> revoke_forgotten(SteadyTime deadline);
  std::string key() const { return plan_.key + "/" + std::to_string(lease_.id); }
  void note_registered();
  void note_failure(const Error& error);

  DiscoveryShard shard_;
  EtcdClients& clients_;
  RegistrationPlan plan_;
  std::shared_ptr<EtcdClient> client_;
  Lease lease_;                          ///< id 0: no lease
  std::vector<std::int64_t> unrevoked_;  ///< leases that were given up and are not revoked yet
  bool registered_ = false;
  ToldReasons told_;
  TaskGroup tasks_;
};

Task<void> EtcdRegistration::Impl::run() {
  for (;;) {
    const Result<> ended = co_await hold_lease();
    note_failure(ended.error());
    co_await give_up_lease();
    co_await sleep_until(shard_.timers, shard_.timers.now() + retry_pause);
  }
}

/// Returns when the lease is lost or could not be obtained.
Async<> EtcdRegistration::Impl::hold_lease() {
  CONCERTO_CO_CHECK(co_await grant());
  CONCERTO_CO_CHECK(co_await put_address());
  note_registered();
  co_await revoke_forgotten(shard_.timers.now() + etcd_call_timeout);
  co_return co_await renew_until_lost();
}

Async<> EtcdRegistration::Impl::grant() {
  const SteadyTime asked_at = shard_.timers.now();
  etcdserverpb::LeaseGrantRequest request;
  request.set_ttl(lease_ttl.count());
  CONCERTO_CO_TRY(const auto granted, co_await client_->call<etcdserverpb::LeaseGrantResponse>(
                                          "/etcdserverpb.Lease/LeaseGrant", std::move(request)));
  lease_.id = granted.id();
  lease_.ttl = std::chrono::seconds{granted.ttl()};
  lease_.expires_at = asked_at + lease_.ttl;
  co_return ok();
}

Async<> EtcdRegistration::Impl::put_address() {
  etcdserverpb::PutRequest request;
  request.set_key(key());
  request.set_value(plan_.endpoint);
  request.set_lease(lease_.id);
  CONCERTO_CO_CHECK(co_await client_->call<etcdserverpb::PutResponse>("/etcdserverpb.KV/Put",
                                                                      std::move(request)));
  co_return ok();
}

/// A lease belongs to the cluster: if one member fails, another member may renew the lease while it
/// lives.
Async<> EtcdRegistration::Impl::renew_until_lost() {
  for (;;) {
    const Result<> ended = co_await renew();
    const bool is_lost = ended.error().code == lease_lost().code;
    if (is_lost || shard_.timers.now() >= lease_.expires_at) co_return ended;
    co_await sleep_until(shard_.timers, shard_.timers.now() + renewal_pause);
  }
}

/// Renews the lease over one stream, each time after a third of its lifetime. Returns why the
/// stream cannot go on.
Async<> EtcdRegistration::Impl::renew() {
  CONCERTO_CO_TRY(const auto stream, co_await client_->open_stream(keep_alive_method));
  etcdserverpb::LeaseKeepAliveRequest request;
  request.set_id(lease_.id);
  for (;;) {
    const SteadyTime asked_at = shard_.timers.now();
    co_await stream->write(request.SerializeAsString());
    const auto bytes = co_await stream->read(std::min(lease_.expires_at, asked_at + etcd_patience));
    if (!bytes) co_return co_await stream->end();
    CONCERTO_CO_TRY(const auto renewed,
                    parse_etcd<etcdserverpb::LeaseKeepAliveResponse>(*bytes, keep_alive_method));
    if (renewed.ttl() <= 0) co_return lease_lost();
    lease_.ttl = std::chrono::seconds{renewed.ttl()};
    lease_.expires_at = asked_at + lease_.ttl;
    const SteadyTime next = asked_at + lease_.ttl / 3;
    co_await put_again_if_gone(next);
    co_await sleep_until(shard_.timers, next);
  }
}

Async<bool> EtcdRegistration::Impl::has_address(SteadyTime deadline) {
  etcdserverpb::RangeRequest request;
  request.set_key(key());
  CONCERTO_CO_TRY(const auto found, co_await client_->call_until<etcdserverpb::RangeResponse>(
                                        "/etcdserverpb.KV/Range", std::move(request), deadline));
  co_return found.kvs_size() == 1 && found.kvs(0).value() == plan_.endpoint;
}

/// A key may be removed by hand while its lease lives. If the key cannot be read or put now, the
/// next renewal tries again.
Task<void> EtcdRegistration::Impl::put_again_if_gone(SteadyTime deadline) {
  const auto found = co_await has_address(deadline);
  if (!found || *found) co_return;
  const auto put = co_await put_address();
  if (put) {
    shard_.observer.log(LogLevel::warn, {},
                        "etcd: '" + key() + "' was removed or changed by others, put it again");
  }
}

Async<> EtcdRegistration::Impl::revoke(std::int64_t lease_id, SteadyTime deadline) {
  etcdserverpb::LeaseRevokeRequest request;
  request.set_id(lease_id);
  const auto revoked = co_await client_->call_until<etcdserverpb::LeaseRevokeResponse>(
      "/etcdserverpb.Lease/LeaseRevoke", std::move(request), deadline);
  const bool gone = revoked || revoked.error().code == make_error_code(GrpcCode::not_found);
  if (!gone) co_return revoked.error();
  co_return ok();
}

Task<void> EtcdRegistration::Impl::give_up_lease() {
  if (lease_.id == 0) co_return;
  const Lease given_up = std::exchange(lease_, {});
  unrevoked_.push_back(given_up.id);
  if (unrevoked_.size() > unrevoked_max) unrevoked_.erase(unrevoked_.begin());
  co_await revoke_forgotten(shard_.timers.now() + etcd_call_timeout);
}

/// Until its lease is revoked or expires, an old key points to this coordinator too.
Task<void> EtcdRegistration::Impl::revoke_forgotten(SteadyTime deadline) {
  while (!unrevoked_.empty()) {
    const std::int64_t lease_id = unrevoked_.back();
    const auto revoked = co_await revoke(lease_id, deadline);
    if (!revoked) co_return;  // The next registration tries again.
    std::erase(unrevoked_, lease_id);
  }
}

Task<void> EtcdRegistration::Impl::stop(SteadyTime deadline) {
  co_await tasks_.close();
  if (lease_.id != 0) unrevoked_.push_back(std::exchange(lease_, {}).id);
  co_await revoke_forgotten(deadline);
  if (!unrevoked_.empty()) {
    shard_.observer.log(
        LogLevel::warn, {},
        "etcd: could not be told that '" + plan_.endpoint + "' goes; its key goes with its lease");
  }
  registered_ = false;
  co_await clients_.release(std::move(client_));
}

void EtcdRegistration::Impl::note_registered() {
  registered_ = true;
  told_.clear();
  shard_.observer.log(LogLevel::info, {},
                      "etcd: registered '" + key() + "' = '" + plan_.endpoint + "'");
}

void EtcdRegistration::Impl::note_failure(const Error& error) {
  registered_ = false;
  if (!told_.is_new(error.detail)) return;
  shard_.observer.log(LogLevel::warn, {},
                      "etcd: '" + plan_.endpoint + "' is not registered below '" + plan_.key +
                          "/', tried again every second: " + error.detail);
}

EtcdRegistration::EtcdRegistration(TargetChannels& targets, RegistrationPlan plan)
    : impl_(std::make_unique<Impl>(targets, std::move(plan))) {}

EtcdRegistration::~EtcdRegistration() = default;

void EtcdRegistration::start() {
  impl_->start();
}

bool EtcdRegistration::registered() const noexcept {
  return impl_->registered();
}

Task<void> EtcdRegistration::stop(SteadyTime deadline) {
  return impl_->stop(deadline);
}

}  // namespace concerto::net
