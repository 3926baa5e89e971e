#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <concerto/base/clock.hpp>

namespace concerto::net::http2 {

/// What a peer may still send without getting anything done: empty DATA, WINDOW_UPDATE, PING,
/// requests that are reset, frames of unknown types. Every frame costs; what it gets done gives
/// more than that back; what is left over comes back with time, so that a quiet connection may
/// live for ever. Costs and gains are in frames.
class FrameBudget {
 public:
  static constexpr std::int64_t frames_max = 10'000;
  static constexpr std::int64_t frames_per_second = 1'000;

  /// `preface_bytes`: what precedes the peer's first frame.
  explicit FrameBudget(std::size_t preface_bytes) noexcept : skipped_bytes_(preface_bytes) {}

  /// Charges for the frames that begin in `bytes`, the next that came from the peer.
  void charge(std::string_view bytes, SteadyTime now) noexcept;

  /// A header list was larger than allowed.
  void charge_refused_block() noexcept;

  /// Bytes of a message came.
  void earn_data() noexcept { earn(1); }
  /// A DATA frame went out, `whole` if the peer's window left nothing of what was queued behind.
  void earn_sent(std::size_t bytes, bool whole) noexcept;
  /// A request was answered.
  void earn_exchange() noexcept;

  bool is_spent() const noexcept { return left_ < 0; }

 private:
  void earn(std::int64_t frames) noexcept;
  void charge_frame(std::uint8_t type) noexcept;

  std::int64_t left_ = frames_max;
  SteadyTime earned_until_{};
  std::size_t skipped_bytes_;      ///< until the next frame's head
  std::size_t head_bytes_ = 0;     ///< of the next head that have come
  std::size_t payload_bytes_ = 0;  ///< that the head announces, as far as it has come
};

}  // namespace concerto::net::http2
