#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

struct Transaction;

/// What an operator holds up.
enum class PauseKind : std::uint8_t {
  target,  ///< calls to URLs with this text in them
  mode,    ///< all calls of transactions of this type
  topic,   ///< messages with a call to a URL that is subscribed to this topic at that time
};

CONCERTO_EXPORT std::string_view to_string(PauseKind kind) noexcept;
CONCERTO_EXPORT std::optional<PauseKind> pause_kind_from(std::string_view text) noexcept;

inline constexpr std::size_t pause_bytes_max = 100;

/// Calls that are not made until an operator lets them go on. Transactions are taken and stored as
/// always, and a call that runs is not ended.
struct Pause {
  PauseKind kind = PauseKind::target;
  std::string value;
  std::string reason;
  std::string caller;  ///< the name of who asked for it; empty if nobody knows
  WallTime since{};

  friend bool operator==(const Pause&, const Pause&) = default;
};

/// Whether pauses hold up what a transaction does next.
using HeldUp = std::function<bool(const Transaction&)>;

}  // namespace concerto
