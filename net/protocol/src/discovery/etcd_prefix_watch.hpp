#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/protocol/target_channels.hpp>

#include "etcd_client.hpp"
#include "etcd_values.hpp"
#include "told_reasons.hpp"

namespace concerto::net {

/// Follows all keys below a prefix of etcd.
///
/// It reads them at one revision and watches from the next one on. When the stream ends, for
/// whatever reason (etcd went away, the revision was compacted), it reads again: an etcd that came
/// back without its data would never send an event for a revision that it has not reached. What is
/// known stays while etcd is away. Close before destruction.
///
/// Changes of many keys are gathered, because each call of the listener costs as much as there are
/// keys.
class EtcdPrefixWatch {
 public:
  using Values = EtcdValues::Map;

  struct Listener {
    std::function<void(const Values&)> on_values;  ///< read, or changed; all of them
    std::function<void(const Error&)> on_failure;  ///< of each attempt to read or watch
  };

  /// An etcd that has lost its data has lost its leases too, and whoever is alive registers anew.
  /// For this long after that the former values count as well.
  static constexpr std::chrono::seconds lost_data_grace{15};

  static constexpr std::size_t keys_max = EtcdValues::keys_max;
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
  void note_more();
  void publish_soon();
  void publish();
  void note_failure(const Error& error);
  void note_success();

  DiscoveryShard shard_;
  EtcdClient& client_;
  std::string prefix_;
  Listener listener_;
  EtcdValues values_;  ///< with former ones during the grace time
  bool compacted_ = false;
  bool told_of_more_ = false;
  ToldReasons told_;
  std::chrono::milliseconds pause_;
  SteadyTime published_at_;
  Timer publish_due_;
  Timer grace_end_;
  TaskGroup tasks_;
};

}  // namespace concerto::net
