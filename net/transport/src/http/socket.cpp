#include "socket.hpp"

#include <algorithm>
#include <array>

namespace concerto::net {

void set_socket_options(Socket& socket) noexcept {
  // A socket that its peer has reset already refuses options; its first read tells.
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
}

void Outgoing::consume(std::size_t bytes) noexcept {
  const std::size_t from_head = std::min(bytes, head.size());
  head.remove_prefix(from_head);
  body.remove_prefix(bytes - from_head);
}

error_code write_now(Socket& socket, Outgoing& outgoing) noexcept {
  error_code error;
  while (!outgoing.empty() && !error) {
    if (outgoing.body.empty()) {
      outgoing.consume(
          socket.write_some(asio::const_buffer(outgoing.head.data(), outgoing.head.size()), error));
    } else {
      const std::array parts{asio::const_buffer(outgoing.head.data(), outgoing.head.size()),
                             asio::const_buffer(outgoing.body.data(), outgoing.body.size())};
      outgoing.consume(socket.write_some(parts, error));
    }
  }
  return error;
}

Task<error_code> write_all(Socket& socket, Outgoing outgoing) {
  for (;;) {
    const error_code error = write_now(socket, outgoing);
    if (error != asio::error::would_block) co_return error;
    const auto [waited] = co_await socket.async_wait(Socket::wait_write, tuple_task);
    if (waited) co_return waited;
  }
}

}  // namespace concerto::net
