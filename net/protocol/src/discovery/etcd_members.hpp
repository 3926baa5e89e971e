#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include <concerto/base/timers.hpp>

namespace concerto::net {

/// Which member of an etcd cluster is asked next.
///
/// A member that serves is kept. One that fails is left alone for a while, longer after each
/// failure, and the next one in the order of the list is asked. Where all are left alone, the one
/// whose time is over first is asked all the same.
class EtcdMemberChoice {
 public:
  static constexpr std::chrono::seconds pause_min{1};
  static constexpr std::chrono::seconds pause_max{30};

  /// `first` of the `count` members is asked first.
  EtcdMemberChoice(std::size_t count, std::size_t first);

  std::size_t pick(SteadyTime now);
  void succeeded(std::size_t member);
  /// True if the member had served, or had not been asked, until now.
  bool failed(std::size_t member, SteadyTime now);

 private:
  struct Member {
    unsigned failures = 0;  ///< since it served last
    SteadyTime left_until = SteadyTime::min();
  };

  std::vector<Member> members_;
  std::size_t current_;
};

}  // namespace concerto::net
