#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <concerto/base/timers.hpp>

namespace concerto::net {

/// Chooses the member of an etcd cluster that is asked next.
///
/// A member that serves is asked again. A member that fails has a pause, which grows with each
/// failure, and the next member of the list is asked. If all members have a pause, the one whose
/// pause ends first is asked.
class EtcdMemberChoice {
 public:
  static constexpr std::chrono::seconds pause_min{1};
  static constexpr std::chrono::seconds pause_max{30};

  /// `first` of the `count` members is asked first.
  EtcdMemberChoice(std::size_t count, std::size_t first);

  std::size_t pick(SteadyTime now);
  void succeeded(std::size_t member);
  /// Notes a failure. True if it is the first one since the member last served.
  bool failed(std::size_t member, SteadyTime now);

 private:
  struct Member {
    unsigned failures = 0;  ///< since the member last served
    SteadyTime left_until = SteadyTime::min();
  };

  std::vector<Member> members_;
  std::size_t current_;
};

}  // namespace concerto::net
