#include "host_addresses.hpp"

#include <netdb.h>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/post.hpp>

#include "sql_error.hpp"

namespace concerto::persist {
namespace {

using Found = Result<std::vector<std::string>>;

std::string text_of(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text,
                sizeof text);
  } else if (address->sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text,
                sizeof text);
  }
  return text;
}

/// Blocks, unless only addresses are read (AI_NUMERICHOST).
Found look_up(const std::string& host, int flags) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (error != 0) {
    return make_error(SqlErrc::not_now, "host '" + host + "': " + ::gai_strerror(error));
  }
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    addresses.push_back(text_of(one->ai_addr));
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

Async<std::vector<std::string>> HostAddresses::of(std::string host) {
  if (host.starts_with('/')) co_return std::vector<std::string>(1, host);
  Found numeric = look_up(host, AI_NUMERICHOST);
  if (numeric) co_return numeric;
  auto start = [this, &host](Completion<Found> completion) {
    asio::post(thread_, [host, executor = executor_, waiter = std::move(completion)]() mutable {
      Found found = look_up(host, 0);
      asio::post(executor, [answer = std::move(found), waiter = std::move(waiter)]() mutable {
        waiter(std::move(answer));
      });
    });
  };
  co_return co_await suspend<Found>(start);
}

}  // namespace concerto::persist
