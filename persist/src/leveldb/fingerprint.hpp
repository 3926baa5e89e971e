#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace concerto::persist {

/// A secret of one store, chosen when the store is created.
using FingerprintKey = std::array<std::uint64_t, 2>;

/// Stands for a gid: equal fingerprints mean equal gids. It is a keyed hash of 128 bits, so that
/// neither chance nor a client who chooses gids can find two gids with one fingerprint.
struct Fingerprint {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  friend auto operator<=>(const Fingerprint&, const Fingerprint&) = default;
};

/// SipHash-2-4 with 128 bits of output.
Fingerprint fingerprint(const FingerprintKey& key, std::string_view gid) noexcept;

/// 16 bytes, ordered as the fingerprints are.
std::string to_bytes(const Fingerprint& fingerprint);

}  // namespace concerto::persist
