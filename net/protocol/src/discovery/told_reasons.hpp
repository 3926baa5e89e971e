#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace concerto::net {

/// The reasons for repeated failures that were logged: each reason is logged once.
class ToldReasons {
 public:
  /// True if the reason was not logged since the last success. Of many reasons only the first ones
  /// are logged.
  bool is_new(const std::string& reason) {
    return reasons_.size() < reasons_max && reasons_.insert(reason).second;
  }

  bool empty() const noexcept { return reasons_.empty(); }
  /// Call it after a success.
  void clear() noexcept { reasons_.clear(); }

 private:
  static constexpr std::size_t reasons_max = 8;

  std::set<std::string> reasons_;
};

}  // namespace concerto::net
