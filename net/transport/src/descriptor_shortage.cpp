#include <utility>

#include <concerto/transport/descriptor_shortage.hpp>

namespace concerto::net {
namespace {

constexpr std::chrono::seconds recent{10};
constexpr std::chrono::seconds line_interval{60};

}  // namespace

DescriptorShortage::DescriptorShortage(const Clock& clock,
                                       std::function<void(const std::string&)> say)
    : clock_(clock), say_(std::move(say)) {}

void DescriptorShortage::note() {
  const SteadyTime now = clock_.steady_now();
  const std::uint64_t count = refused_.fetch_add(1, std::memory_order_relaxed) + 1;
  last_.store(now, std::memory_order_relaxed);
  if (now < next_line_) return;
  next_line_ = now + line_interval;
  say_(
      "no file descriptor is free (limit: RLIMIT_NOFILE, ulimit -n): connections refused since the "
      "last such line: " +
      std::to_string(count - std::exchange(said_count_, count)));
}

bool DescriptorShortage::is_recent() const noexcept {
  const SteadyTime last = last_.load(std::memory_order_relaxed);
  return last != SteadyTime{} && clock_.steady_now() - last < recent;
}

}  // namespace concerto::net
