#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace concerto::test {

/// Takes one connection, and says at most that it is a server with TLS.
class SilentMysqlServer {
 public:
  SilentMysqlServer() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, name, size) != 0 || ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, name, &size) != 0) {
      throw std::runtime_error("the silent server cannot listen");
    }
    port_ = ntohs(address.sin_port);
  }
  ~SilentMysqlServer() {
    ::close(client_);
    ::close(listener_);
  }
  SilentMysqlServer(const SilentMysqlServer&) = delete;
  SilentMysqlServer& operator=(const SilentMysqlServer&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  void accept() { client_ = ::accept(listener_, nullptr, nullptr); }

  /// Sends the first packet of the protocol, version 10.
  void greet() const {
    using namespace std::string_view_literals;
    constexpr std::array<std::string_view, 9> fields{
        "\x0a"
        "8.0.36\0"sv,
        "\1\0\0\0"sv,                  // the session's id
        "12345678\0"sv,                // the begin of the challenge
        "\x09\xaa"sv,                  // abilities: TLS is 0x0800
        "\x2d\2\0"sv,                  // character set and status
        "\x0b\0\x15"sv,                // further abilities, and the challenge's length
        "\0\0\0\0\0\0\0\0\0\0"sv,      // reserved
        "123456789012\0"sv,            // the rest of the challenge
        "mysql_native_password\0"sv};  // how users show who they are
    std::string packet;
    for (const std::string_view field : fields) packet += field;
    packet.insert(0, {static_cast<char>(packet.size()), 0, 0, 0});
    if (::send(client_, packet.data(), packet.size(), MSG_NOSIGNAL) < 0) {
      throw std::runtime_error("the silent server cannot send");
    }
  }

  /// What the client has sent until now.
  std::string received() const {
    std::string bytes(4096, '\0');
    const ssize_t size = ::recv(client_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return bytes;
  }

 private:
  int listener_;
  int client_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace concerto::test
