#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace concerto::persist {

/// The newest groups, kept in memory up to a number of bytes, so that reading recent records does
/// not touch the disk. Not thread-safe.
class RecentGroups {
 public:
  explicit RecentGroups(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Groups must come without gaps.
  void add(std::uint64_t group, std::shared_ptr<const std::string> value) {
    if (values_.empty()) first_ = group;
    bytes_ += value->size();
    values_.push_back(std::move(value));
    while (bytes_ > bytes_max_ && values_.size() > 1) {
      bytes_ -= values_.front()->size();
      values_.pop_front();
      ++first_;
    }
  }

  /// Null when the group is not kept.
  std::shared_ptr<const std::string> find(std::uint64_t group) const {
    if (group < first_ || group - first_ >= values_.size()) return nullptr;
    return values_[group - first_];
  }

 private:
  const std::size_t bytes_max_;
  std::deque<std::shared_ptr<const std::string>> values_;
  std::uint64_t first_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace concerto::persist
