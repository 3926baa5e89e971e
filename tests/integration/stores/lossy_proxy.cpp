#include "lossy_proxy.hpp"

#include <poll.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace concerto::test {
namespace {

constexpr int poll_ms = 10;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr* as_address(sockaddr_in& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

/// What can be read; empty when the connection has ended.
std::string read(int from) {
  std::string buffer(64 * 1024, '\0');
  const ssize_t bytes = ::recv(from, buffer.data(), buffer.size(), 0);
  buffer.resize(bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  return buffer;
}

/// Passes what can be read at `from` on to `to`, and returns it; empty when the connection has
/// ended.
std::string pass(int from, int to) {
  std::string buffer = read(from);
  for (std::size_t sent = 0; sent < buffer.size();) {
    const ssize_t now = ::send(to, buffer.data() + sent, buffer.size() - sent, MSG_NOSIGNAL);
    if (now <= 0) return {};
    sent += static_cast<std::size_t>(now);
  }
  return buffer;
}

}  // namespace

LossyProxy::LossyProxy(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, as_address(address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, as_address(address), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { accept_all(); });
}

LossyProxy::~LossyProxy() {
  ends_ = true;
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  ::close(listener_);
}

void LossyProxy::accept_all() {
  while (!ends_) {
    pollfd waits{listener_, POLLIN, 0};
    if (::poll(&waits, 1, poll_ms) <= 0) continue;
    const int client = ::accept(listener_, nullptr, nullptr);
    ++accepted_;
    if (refuses_) {
      ::close(client);
    } else {
      connections_.emplace_back([this, client] { pass_on(client); });
    }
  }
}

void LossyProxy::pass_on(int client) const {
  const int server = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(server_port_);
  bool goes_on = ::connect(server, as_address(address), sizeof address) == 0;
  IsWhole loses;
  std::string lost;
  while (goes_on && !ends_ && !refuses_) {
    pollfd waits[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (::poll(waits, 2, poll_ms) <= 0 || holds_) continue;
    if (waits[0].revents != 0) {
      const std::string request = pass(client, server);
      goes_on = !request.empty();
      if (!loses) loses = loses_answer_to(request);
    }
    if (waits[1].revents == 0) continue;
    const std::string answer = loses ? read(server) : pass(server, client);
    if (loses) lost += answer;
    goes_on = goes_on && !answer.empty() && !(loses && loses(lost));
  }
  ::close(client);
  ::close(server);
}

void LossyProxy::lose_next_answer_to(std::vector<std::string> texts, IsWhole is_whole) {
  const std::lock_guard lock(mutex_);
  loses_ = std::move(texts);
  is_whole_ = std::move(is_whole);
}

LossyProxy::IsWhole LossyProxy::loses_answer_to(std::string_view request) const {
  const std::lock_guard lock(mutex_);
  for (const std::string& text : loses_) {
    if (request.find(text) == request.npos) continue;
    loses_.clear();
    return is_whole_;
  }
  return nullptr;
}

}  // namespace concerto::test
