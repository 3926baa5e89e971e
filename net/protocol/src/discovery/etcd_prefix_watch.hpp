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
/// The keys are read at one revision and watched from the next one on. When the stream ends, for
/// any reason (etcd has stopped, the revision was compacted), the keys are read again. A watch
/// would not be enough: an etcd that came back without its data never sends events for a revision
/// that it has not reached. The known values stay while etcd is away. Close it before its
/// destruction.
///
/// If there are many keys, changes are gathered, because the listener gets all keys with each call.
class EtcdPrefixWatch {
 public:
  using Values = EtcdValues::Map;

  struct Listener {
    std::function<void(const Values&)> on_values;  ///< all values, after each reading and change
    std::function<void(const Error&)> on_failure;  ///< for each failed attempt to read or watch
  };

  /// An etcd that has lost its data has also lost its leases, and every living service registers
  /// again. For this time after the loss the former values are used too.
  static constexpr std::chrono::seconds lost_data_grace{15};

  static constexpr std::size_t keys_max = EtcdValues::keys_max;
  /// With up to so many keys each change is told at once, with more keys at most once per interval.
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
  EtcdValues values_;  ///< includes former values during lost_data_grace
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
