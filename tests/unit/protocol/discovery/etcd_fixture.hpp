#pragma once

#include <string>

#include "discovery_fixture.hpp"
#include "scripted_etcd.hpp"

namespace concerto::net::test {

/// A shard with a scripted etcd.
class EtcdTest : public DiscoveryTest {
 protected:
  void SetUp() override { etcd_.start(); }
  void TearDown() override { await(etcd_.stop()); }

  /// The longest pause between two attempts to connect, including jitter.
  static constexpr std::chrono::seconds reconnect_pause_max{4};

  ScriptedEtcd etcd_{io_.get_executor(), timers_};
};

/// A shard with a scripted etcd of two members.
class EtcdClusterTest : public EtcdTest {
 protected:
  void SetUp() override {
    EtcdTest::SetUp();
    other_.start();
  }
  void TearDown() override {
    await(other_.stop());
    EtcdTest::TearDown();
  }

  std::string all_hosts() const { return etcd_.hosts() + "," + other_.hosts(); }

  ScriptedEtcd other_{io_.get_executor(), timers_, etcd_};
};

}  // namespace concerto::net::test
