#pragma once

#include <string>

#include "discovery_fixture.hpp"
#include "scripted_etcd.hpp"

namespace concerto::net::test {

/// A shard with a scripted etcd beside it.
class EtcdTest : public DiscoveryTest {
 protected:
  void SetUp() override { etcd_.start(); }
  void TearDown() override { await(etcd_.stop()); }

  /// As long as the longest pause between two attempts to connect, with room for jitter.
  static constexpr std::chrono::seconds reconnect_pause_max{4};

  ScriptedEtcd etcd_{io_.get_executor(), timers_};
};

}  // namespace concerto::net::test
