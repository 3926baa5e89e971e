#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

/// Remembers that connections were refused because the process had no file descriptor left, and
/// reports that at most once a minute. The listeners of one thread tell it; any thread may call
/// `is_recent` and `refused`.
class CONCERTO_EXPORT DescriptorShortage {
 public:
  /// `say` is called with a sentence for the operator.
  DescriptorShortage(const Clock& clock, std::function<void(const std::string&)> say);
  DescriptorShortage(const DescriptorShortage&) = delete;
  DescriptorShortage& operator=(const DescriptorShortage&) = delete;

  /// Call this when a connection was refused, or could not even be accepted to be refused.
  void note();

  /// Whether a connection was refused within the last ten seconds.
  bool is_recent() const noexcept;
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  const Clock& clock_;
  const std::function<void(const std::string&)> say_;
  std::atomic<std::uint64_t> refused_{0};
  std::atomic<SteadyTime> last_{SteadyTime{}};
  std::uint64_t said_count_ = 0;
  SteadyTime next_line_;
};

}  // namespace concerto::net
