#include "listen_address.hpp"

#include <cerrno>
#include <sstream>
#include <string>
#include <unistd.h>

#include <boost/asio/ip/address_v4.hpp>
#include <netinet/in.h>
#include <sys/socket.h>

namespace concerto::tools {
namespace {

using boost::asio::ip::tcp;

/// A socket that listens as long as it lives. Not an acceptor: that needs a poll of its own.
class HeldPort {
 public:
  HeldPort() = default;
  ~HeldPort() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

  Result<> take(const tcp::endpoint& at) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = ::socket(at.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    const int off = 0;
    if (descriptor_ >= 0 && at.protocol() == tcp::v6() && at.address().is_unspecified()) {
      ::setsockopt(descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);  // IPv4 as well
    }
    if (descriptor_ >= 0 &&
        ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        ::bind(descriptor_, at.data(), static_cast<socklen_t>(at.size())) == 0 &&
        ::listen(descriptor_, 1) == 0) {
      return ok();
    }
    const error_code failed(errno, boost::system::system_category());
    std::ostringstream text;
    text << "cannot listen on " << at << ": " << failed.message();
    return Error{failed, std::move(text).str()};
  }

 private:
  int descriptor_ = -1;
};

}  // namespace

Result<std::optional<boost::asio::ip::address>> parse_listen_address(std::string_view text) {
  using boost::asio::ip::address;
  if (text.empty() || text == "*") return std::optional<address>{};
  if (text == "localhost") return std::optional<address>{boost::asio::ip::address_v4::loopback()};
  const bool has_brackets = text.starts_with('[') && text.ends_with(']');
  const std::string plain{has_brackets ? text.substr(1, text.size() - 2) : text};
  error_code failed;
  const auto parsed = boost::asio::ip::make_address(plain, failed);
  if (!failed && (!has_brackets || parsed.is_v6())) return std::optional<address>{parsed};
  return make_error(Errc::invalid_request,
                    "ListenAddress: expected an IP address without a port (HttpPort and GrpcPort "
                    "are the ports), localhost, or * for all interfaces, found '" +
                        std::string{text} + "'");
}

Result<> listen_on(std::string_view address, std::int64_t port,
                   const std::function<Result<>(const tcp::endpoint&)>& start) {
  const auto number = static_cast<std::uint16_t>(port);
  CONCERTO_TRY(const auto parsed, parse_listen_address(address));
  if (parsed) return start(tcp::endpoint(*parsed, number));
  const Result<> both = start(tcp::endpoint(tcp::v6(), number));
  if (both) return ok();
  return start(tcp::endpoint(tcp::v4(), number));
}

Result<> check_ports_are_free(std::string_view address, std::int64_t http_port,
                              std::int64_t grpc_port) {
  HeldPort http;
  HeldPort grpc;
  CONCERTO_CHECK(
      listen_on(address, http_port, [&](const tcp::endpoint& at) { return http.take(at); }));
  return listen_on(address, grpc_port, [&](const tcp::endpoint& at) { return grpc.take(at); });
}

}  // namespace concerto::tools
