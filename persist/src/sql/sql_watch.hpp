#pragma once

#include <atomic>
#include <cstdint>

#include <concerto/base/mutex.hpp>

#include "sql_health.hpp"

namespace concerto::persist {

/// The health of one store: takes the time of each outcome, writes the lines to the log, and
/// counts. Any thread may call it. Clock and observer must outlive it.
class SqlWatch {
 public:
  SqlWatch(std::string place, const Clock& clock, Observer& observer)
      : clock_(clock), observer_(observer), health_(std::move(place)) {}

  // As the functions of SqlHealth:
  void reached(std::chrono::nanoseconds took);
  /// `is_told`: somebody else tells the operator that the database is away.
  void away(const Error& error, bool is_silent, bool is_told);
  void connected(const Result<>& tried);
  void checked(const Result<>& check);
  void wrote(std::chrono::nanoseconds took);
  void refused(const Error& error, std::size_t changes);
  void look();
  StoreHealth health() const;

  /// A change was answered with a trouble of the database, or with an unknown outcome.
  void change_failed() noexcept { failed_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t failed_changes() const noexcept { return failed_.load(std::memory_order_relaxed); }

 private:
  void write(const SqlHealth::Lines& lines);

  const Clock& clock_;
  Observer& observer_;
  mutable Mutex mutex_;
  SqlHealth health_ CONCERTO_GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> failed_ = 0;
};

}  // namespace concerto::persist
