#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/caller_id.hpp>
#include <concerto/engine/trace.hpp>

namespace concerto {

/// The address of a peer, as numbers: each request has a copy, and few requests write it as text.
struct CONCERTO_EXPORT PeerAddress {
  std::array<std::uint8_t, 16> bytes{};  ///< of IPv6; an IPv4 address is mapped
  std::uint32_t scope = 0;               ///< of a link-local address
  std::uint16_t port = 0;                ///< 0: not known

  /// False if there is no peer.
  bool is_set() const noexcept { return port != 0 || bytes != decltype(bytes){}; }
  /// `10.0.0.7:51234`, `[fe80::1%2]:80`; without a port `10.0.0.7`, `fe80::1%2`; empty without a
  /// peer.
  std::string str() const;
};

/// What the coordinator knows about who makes a request. Front ends make a context for each
/// request, and the calls of the Coordinator carry it. The default is for requests of the process
/// itself: no peer and no deadline. Cheap to copy.
struct CONCERTO_EXPORT RequestContext {
  PeerAddress peer;
  /// Ends the caller's waiting for a result. The transaction itself goes on.
  SteadyTime deadline = SteadyTime::max();
  TraceParent trace;  ///< not set: the request is part of no trace
  /// Known if the server asks its callers who they are.
  CallerId caller;

  /// For the log: `asked by 10.0.0.7:51234` or `asked by alice at 10.0.0.7:51234`, without a
  /// peer `asked by alice` or `asked by this process`, and the trace if there is one.
  std::string told() const;
};

// Contexts are used in expressions with co_await, where GCC 12 destroys some temporaries twice.
static_assert(std::is_trivially_copyable_v<RequestContext>);

}  // namespace concerto
