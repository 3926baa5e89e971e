#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/mutex.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/store_health.hpp>

namespace concerto::persist {

/// The damaged records of a shared store that this process has met (docs/operations.md, "Damaged
/// records in a shared store"). Each has one line in the log until it is read without an error, or
/// is gone. Thread-safe; the observer must outlive it.
class DamagedRecords {
 public:
  explicit DamagedRecords(Observer& observer) : observer_(observer) {}

  /// The error store_damaged for a transaction, and its line in the log. `why` begins with the key
  /// or the column.
  Error trans(std::string_view gid, std::string_view why);
  /// The same for another record, such as a topic. `name` is how it is called.
  Error other(std::string_view name, std::string_view why);

  /// The record was read, or it does not exist.
  void is_sound(std::string_view name) noexcept {
    if (count_.load(std::memory_order_relaxed) > 0) forget(name);
  }

  /// How many records are damaged now, as far as this process knows.
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  /// At most `max` of them, by name.
  DamageReport report(std::size_t max) const;

 private:
  struct Known {
    bool is_trans;
    std::string why;
  };
  /// Keeps the reason, too.
  bool is_news(bool is_trans, std::string_view name, std::string_view why);
  void forget(std::string_view name) noexcept;

  Observer& observer_;
  std::atomic<std::uint64_t> count_ = 0;
  mutable Mutex mutex_;
  std::map<std::string, Known, std::less<>> known_ CONCERTO_GUARDED_BY(mutex_);
};

}  // namespace concerto::persist
