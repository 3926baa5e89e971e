#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <concerto/base/clock.hpp>
#include <concerto/engine/store.hpp>

#include "record.hpp"

namespace concerto::persist {

/// When progress that nothing durable takes along is written.
inline constexpr std::chrono::milliseconds progress_delay_max{20};
inline constexpr std::size_t progress_bytes_max = std::size_t{64} << 10;
/// A group takes no more records beyond this.
inline constexpr std::size_t group_bytes_max = std::size_t{512} << 10;

/// A group being gathered: its value, and the rule when it is written. Pure; not thread-safe.
class GroupBuilder {
 public:
  /// `number` becomes that of the first group.
  explicit GroupBuilder(std::uint64_t number) : number_(number) {}

  std::uint64_t number() const noexcept { return number_; }
  const std::string& value() const noexcept { return value_; }
  bool empty() const noexcept { return value_.empty(); }
  bool full() const noexcept { return value_.size() >= group_bytes_max; }

  /// Adds a record and returns where it stands.
  Place add(const EncodedRecord& record, const Link& link, Durability durability, SteadyTime now) {
    if (empty()) since_ = now;
    durable_ = durable_ || durability == Durability::durable;
    const std::size_t at = value_.empty() ? 1 : value_.size();
    append_record(value_, record, link);
    return Place{number_, static_cast<std::uint32_t>(at)};
  }

  /// When this group is to be written: at once when anything in it is durable. Absent when empty.
  std::optional<SteadyTime> due() const noexcept {
    if (empty()) return std::nullopt;
    return durable_ || value_.size() >= progress_bytes_max ? since_ : since_ + progress_delay_max;
  }

  /// The value; the next group begins.
  std::shared_ptr<const std::string> take() {
    auto taken = std::make_shared<const std::string>(std::exchange(value_, {}));
    value_.reserve(taken->size());
    durable_ = false;
    ++number_;
    return taken;
  }

 private:
  std::uint64_t number_;
  std::string value_;
  SteadyTime since_{};
  bool durable_ = false;
};

}  // namespace concerto::persist
