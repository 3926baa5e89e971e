#pragma once

#include <string_view>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/async.hpp>

namespace concerto::net {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// Completion token whose await yields a tuple with the error code first.
inline constexpr auto tuple_task = asio::as_tuple(use_task);

/// Sets what every connection of ours has: no delay, and synchronous calls that do not block.
void set_socket_options(Socket& socket) noexcept;

/// Two parts that are sent as one write.
struct Outgoing {
  std::string_view head;
  std::string_view body;

  bool empty() const noexcept { return head.empty() && body.empty(); }
  void consume(std::size_t bytes) noexcept;
};

/// Sends what the kernel takes at once and consumes it. An error other than would_block is final.
error_code write_now(Socket& socket, Outgoing& outgoing) noexcept;

/// Sends all; suspends only where the kernel's buffer is full. The views must stay valid.
Task<error_code> write_all(Socket& socket, Outgoing outgoing);

}  // namespace concerto::net
