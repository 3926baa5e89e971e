#pragma once

#include <cstddef>
#include <set>
#include <string>

namespace concerto::net {

/// Why something fails again and again: each reason is worth one line of the log.
class ToldReasons {
 public:
  /// Whether it has not been told since the last success. Of many reasons only the first are told.
  bool is_new(const std::string& reason) {
    return reasons_.size() < reasons_max && reasons_.insert(reason).second;
  }

  bool empty() const noexcept { return reasons_.empty(); }
  /// It has succeeded.
  void clear() noexcept { reasons_.clear(); }

 private:
  static constexpr std::size_t reasons_max = 8;

  std::set<std::string> reasons_;
};

}  // namespace concerto::net
