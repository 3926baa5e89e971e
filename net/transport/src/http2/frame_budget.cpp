#include "http2/frame_budget.hpp"

#include <algorithm>
#include <chrono>

#include <nghttp2/nghttp2.h>

namespace concerto::net::http2 {
namespace {

/// The head of a frame has 3 bytes of length, the type, and 5 bytes that do not matter here.
constexpr std::size_t length_bytes = 3;
constexpr std::size_t rest_of_head_bytes = 5;

/// Each SETTINGS frame may touch the window of every stream.
constexpr std::int64_t settings_cost = 50;
/// A refused header list was as much work as a good one of several times the limit.
constexpr std::int64_t refused_block_cost = 50;

/// A peer that reads DATA sends WINDOW_UPDATEs, and may send PINGs to measure the round trip.
constexpr std::int64_t sent_data_gain = 4;
/// Smaller DATA frames that a window cut short earn nothing: otherwise a peer could be paid for one
/// WINDOW_UPDATE per byte.
constexpr std::size_t sent_data_bytes_min = 1024;
/// Covers HEADERS, a separate END_STREAM, priorities, windows and trailers.
constexpr std::int64_t exchange_gain = 8;

}  // namespace

void FrameBudget::charge(std::string_view bytes, SteadyTime now) noexcept {
  using Step = std::chrono::duration<std::int64_t, std::ratio<1, frames_per_second>>;
  const auto steps = std::chrono::floor<Step>(now - earned_until_);
  earned_until_ += steps;
  earn(steps.count());
  while (!bytes.empty()) {
    const std::size_t skipped = std::min(skipped_bytes_, bytes.size());
    skipped_bytes_ -= skipped;
    bytes.remove_prefix(skipped);
    if (bytes.empty()) return;
    const auto byte = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (head_bytes_ < length_bytes) {
      payload_bytes_ = payload_bytes_ << 8 | byte;
      ++head_bytes_;
      continue;
    }
    charge_frame(byte);
    skipped_bytes_ = rest_of_head_bytes + payload_bytes_;
    head_bytes_ = payload_bytes_ = 0;
  }
}

void FrameBudget::charge_frame(std::uint8_t type) noexcept {
  left_ -= type == NGHTTP2_SETTINGS ? settings_cost : 1;
}

void FrameBudget::charge_refused_block() noexcept {
  left_ -= refused_block_cost;
}

void FrameBudget::earn_sent(std::size_t bytes, bool whole) noexcept {
  if (whole || bytes >= sent_data_bytes_min) earn(sent_data_gain);
}

void FrameBudget::earn_exchange() noexcept {
  earn(exchange_gain);
}

void FrameBudget::earn(std::int64_t frames) noexcept {
  left_ += std::min(frames, frames_max - left_);
}

}  // namespace concerto::net::http2
