#pragma once

#include <memory>

#include <concerto/base/async.hpp>
#include <concerto/protocol/registration_plan.hpp>
#include <concerto/protocol/target_channels.hpp>

namespace concerto::net {

/// Keeps the coordinator registered in etcd, in go-zero's layout: key `<key>/<lease id>`, value
/// the endpoint, a lease of 10 s.
///
/// Made once per process, on one shard, after the coordinator serves. It tries until it succeeds,
/// and registers anew under a new lease whenever the old one is lost, every second. Everything on
/// the shard's thread. Stop before destruction, and before `targets` closes.
class EtcdRegistration {
 public:
  EtcdRegistration(TargetChannels& targets, RegistrationPlan plan);
  ~EtcdRegistration();
  EtcdRegistration(const EtcdRegistration&) = delete;
  EtcdRegistration& operator=(const EtcdRegistration&) = delete;

  void start();

  bool registered() const noexcept;

  /// Revokes the lease, so that the key goes at once, and ends. Returns by `deadline`; a lease that
  /// could not be revoked until then ends by itself within 10 s.
  Task<void> stop(SteadyTime deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::net
