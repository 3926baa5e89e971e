#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/protocol/target_channels.hpp>

#include "etcd_client.hpp"
#include "told_reasons.hpp"

namespace etcdserverpb {
class WatchResponse;
}

namespace concerto::net {

/// Follows all keys below a prefix of etcd.
///
/// It reads them at one revision and watches from the next one on. When the stream ends, for
/// whatever reason (etcd went away, the revision was compacted), it reads again: an etcd that came
/// back without its data would never send an event for a revision that it has not reached. What is
/// known stays while etcd is away. Close before destruction.
///
/// Of many keys the first in etcd's order count. Changes of many keys are gathered, because each
/// call of the listener costs as much as there are keys.
class EtcdPrefixWatch {
 public:
  using Values = std::map<std::string, std::string>;  ///< by key

  struct Listener {
    std::function<void(const Values&)> on_values;  ///< read, or changed; all of them
    std::function<void(const Error&)> on_failure;  ///< of each attempt to read or watch
  };

  /// An etcd that has lost its data has lost its leases too, and whoever is alive registers anew.
  /// For this long after that the former values count as well.
  static constexpr std::chrono::seconds lost_data_grace{15};

  /// Further keys do not count. They are asked for when fewer than half of these are left.
  static constexpr std::size_t keys_max = 4'000;
  /// Changes of so many keys are told at once, of more at most once in the interval.
  static constexpr std::size_t told_at_once_keys_max = 100;
  static constexpr std::chrono::milliseconds tell_interval{100};

  /// `client` must outlive this object.
  EtcdPrefixWatch(const DiscoveryShard& shard, EtcdClient& client, std::string prefix,
                  Listener listener);

  void start();
  Task<void> close();

 private:
  Task<void> run();
  Async<> follow();
  Async<> read_all();
  Async<> watch_from(std::int64_t revision);
  void apply(const etcdserverpb::WatchResponse& response);
  void note_more();
  void publish_soon();
  void publish();
  void note_failure(const Error& error);
  void note_success();

  DiscoveryShard shard_;
  EtcdClient& client_;
  std::string prefix_;
  Listener listener_;
  Values values_;
  Values former_values_;  ///< of before etcd lost its data, during the grace time
  std::int64_t revision_ = 0;
  bool compacted_ = false;
  bool has_more_ = false;  ///< etcd has more keys than count
  bool told_of_more_ = false;
  ToldReasons told_;
  std::chrono::milliseconds pause_;
  SteadyTime published_at_;
  Timer publish_due_;
  Timer grace_end_;
  TaskGroup tasks_;
};

}  // namespace concerto::net
