#pragma once

#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include <concerto/base/clock.hpp>

#include "commit_request.hpp"

namespace concerto::persist {

/// When a group is written.
struct GroupLimits {
  std::size_t bytes_max = std::size_t{512} << 10;  ///< a group of this size takes no more changes
  std::size_t changes_max = std::numeric_limits<std::size_t>::max();  ///< likewise
  /// A group without a durable change is written at this size or after this delay.
  std::size_t progress_bytes_max = std::size_t{64} << 10;
  std::chrono::milliseconds progress_delay_max{20};
};

/// The changes of one group from the first change to the answers. Not thread-safe.
class CommitGroup {
 public:
  explicit CommitGroup(const GroupLimits& limits) : limits_(limits) {}

  bool empty() const noexcept { return changes_ == 0; }
  bool full() const noexcept {
    return bytes_ >= limits_.bytes_max || changes_ >= limits_.changes_max;
  }
  std::size_t changes() const noexcept { return changes_; }
  std::size_t bytes() const noexcept { return bytes_; }

  /// `bytes` is the size of the group with this change.
  void add(CommitRequest& request, std::size_t bytes, SteadyTime now) {
    if (empty()) since_ = now;
    ++changes_;
    bytes_ = bytes;
    if (request.durability == Durability::durable) waiting_.push_back(&request);
  }

  /// When the group is to be written: at once if it has a durable change or much progress. Absent
  /// if the group is empty.
  std::optional<SteadyTime> due() const noexcept {
    if (empty()) return std::nullopt;
    const bool at_once = !waiting_.empty() || bytes_ >= limits_.progress_bytes_max;
    return at_once ? since_ : since_ + limits_.progress_delay_max;
  }

  /// The durable changes, in the order in which they were added. The progress is not among them: it
  /// was answered when it was added. Null where a change was refused.
  const std::vector<CommitRequest*>& waiting() const noexcept { return waiting_; }

  /// While the sink writes: the change `waiting()[index]` was not made and gets this error. The
  /// other changes of the group are not affected. Once for each change.
  void refuse(std::size_t index, Error error);

  /// Answers everybody who waits, with success or with the failure that ended the write. Then the
  /// group is empty. Returns the number of answers.
  std::size_t answer(const std::optional<Error>& failure, Answers& answers);

 private:
  const GroupLimits limits_;
  std::size_t changes_ = 0;
  std::size_t bytes_ = 0;
  SteadyTime since_{};
  std::vector<CommitRequest*> waiting_;
  std::vector<std::pair<CommitRequest*, Error>> refused_;
};

}  // namespace concerto::persist
