#pragma once

#include <memory>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/protocol/registration_plan.hpp>
#include <concerto/protocol/target_channels.hpp>

namespace concerto::net {

/// Keeps the coordinator registered in etcd, in go-zero's layout: the key is `<key>/<lease id>`,
/// the value is the endpoint, and the lease has 10 s.
///
/// A process makes one registration, on one shard, when the coordinator already serves. It tries
/// once a second until it succeeds, and registers under a new lease whenever the old lease is lost.
/// Use it on the shard's thread alone. Stop it before it is destroyed and before `targets` closes.
class CONCERTO_EXPORT EtcdRegistration {
 public:
  EtcdRegistration(TargetChannels& targets, RegistrationPlan plan);
  ~EtcdRegistration();
  EtcdRegistration(const EtcdRegistration&) = delete;
  EtcdRegistration& operator=(const EtcdRegistration&) = delete;

  void start();

  bool registered() const noexcept;

  /// Revokes the lease, so that the key is removed at once, and ends the registration. Returns by
  /// `deadline`. A lease that could not be revoked by then ends by itself within 10 s.
  Task<void> stop(SteadyTime deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace concerto::net
