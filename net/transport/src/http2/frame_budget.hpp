#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <concerto/base/clock.hpp>

namespace concerto::net::http2 {

/// Limits the frames with which a peer causes work but achieves nothing: empty DATA, WINDOW_UPDATE,
/// PING, requests that are reset, frames of unknown types. Every frame costs. Progress, such as
/// received data or an answered request, earns more than its frames cost. The budget also grows
/// with time, so that a quiet connection may live for ever. Costs and gains are counted in frames.
class FrameBudget {
 public:
  static constexpr std::int64_t frames_max = 10'000;
  static constexpr std::int64_t frames_per_second = 1'000;

  /// `preface_bytes` is the length of what precedes the peer's first frame.
  explicit FrameBudget(std::size_t preface_bytes) noexcept : skipped_bytes_(preface_bytes) {}

  /// Charges for the frames that begin in `bytes`, which are the next bytes from the peer.
  void charge(std::string_view bytes, SteadyTime now) noexcept;

  /// A header list was larger than allowed.
  void charge_refused_block() noexcept;

  /// Bytes of a message arrived.
  void earn_data() noexcept { earn(1); }
  /// A DATA frame was sent. `whole`: it had everything that was queued.
  void earn_sent(std::size_t bytes, bool whole) noexcept;
  /// A request was answered.
  void earn_exchange() noexcept;

  bool is_spent() const noexcept { return left_ < 0; }

 private:
  void earn(std::int64_t frames) noexcept;
  void charge_frame(std::uint8_t type) noexcept;

  std::int64_t left_ = frames_max;
  SteadyTime earned_until_{};
  std::size_t skipped_bytes_;      ///< bytes until the head of the next frame
  std::size_t head_bytes_ = 0;     ///< bytes of the next length that have arrived
  std::size_t payload_bytes_ = 0;  ///< the announced length, as far as it has arrived
};

}  // namespace concerto::net::http2
