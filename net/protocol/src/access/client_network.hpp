#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include <concerto/engine/request_context.hpp>

namespace concerto::net {

/// What the addresses of one client have in common: the first half of an IPv6 address, because one
/// host may have all addresses with this half; but the whole of an IPv4 address, whose first half
/// is the same for all.
inline std::array<std::uint64_t, 2> network_of(const PeerAddress& peer) noexcept {
  std::array<std::uint64_t, 2> network{};
  static_assert(sizeof network == sizeof peer.bytes);
  std::memcpy(network.data(), peer.bytes.data(), sizeof network);
  if (network[0] != 0) network[1] = 0;
  return network;
}

}  // namespace concerto::net
