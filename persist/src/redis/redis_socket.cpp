#include "redis_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <concerto/base/tls_rules.hpp>
#include <concerto/engine/error.hpp>

namespace concerto::persist {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view no_answer = "no answer in time";

Error unreachable(std::string text) {
  return make_error(EngineErrc::store_busy, std::move(text));
}

Error system_failure(std::string_view what, int number) {
  return unreachable(std::string(what) + ": " + std::strerror(number));
}

std::string tls_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "the connection was closed";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

}  // namespace

Result<RedisServer> parse_server(std::string_view text, std::uint16_t default_port) {
  RedisServer server;
  std::string_view host = text, port;
  const auto colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos &&
                        (text.find(':') == colon || (colon > 0 && text[colon - 1] == ']'));
  if (has_port) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  server.host = host;
  std::uint32_t number = has_port ? 0 : default_port;
  for (const char digit : port) {
    if (digit < '0' || digit > '9' || number > 65'535) number = 65'536;
    if (number > 65'535) break;
    number = number * 10 + static_cast<std::uint32_t>(digit - '0');
  }
  const bool has_blank = server.host.find_first_of(" \t") != std::string::npos;
  if (server.host.empty() || has_blank || number == 0 || number > 65'535) {
    return make_error(Errc::invalid_request, "'" + std::string(text) +
                                                 "' does not name a server: expected host:port, "
                                                 "or a host with Store.Port");
  }
  server.port = static_cast<std::uint16_t>(number);
  return server;
}

Result<std::shared_ptr<RedisTlsContext>> RedisTlsContext::make(const RedisTls& tls) {
  if (!tls.on) return std::shared_ptr<RedisTlsContext>{};
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  if (context == nullptr) return make_error(Errc::overloaded, "TLS: " + tls_reason());
  std::shared_ptr<RedisTlsContext> made(
      new RedisTlsContext(context, tls.checks == RedisTls::Checks::host));
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_max_cert_list(context, peer_certificates_bytes_max);
  if (SSL_CTX_set_cipher_list(context, ciphers_of_tls_1_2) != 1) {
    return make_error(Errc::overloaded, "TLS: " + tls_reason());
  }
  const bool checks = tls.checks != RedisTls::Checks::nothing;
  SSL_CTX_set_verify(context, checks ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  const auto bad = [](const char* key, const std::string& file) {
    return make_error(Errc::invalid_request,
                      std::string(key) + ": '" + file + "' cannot be used: " + tls_reason());
  };
  if (tls.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_locations(context, tls.ca.c_str(), nullptr) != 1) {
    return bad("Store.TlsCaFile", tls.ca);
  }
  if (!tls.certificate.empty() &&
      SSL_CTX_use_certificate_chain_file(context, tls.certificate.c_str()) != 1) {
    return bad("Store.TlsCertFile", tls.certificate);
  }
  if (!tls.key.empty() &&
      SSL_CTX_use_PrivateKey_file(context, tls.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return bad("Store.TlsKeyFile", tls.key);
  }
  return made;
}

bool is_silence(const Error& error) noexcept {
  return error.detail == no_answer;
}

RedisTlsContext::~RedisTlsContext() {
  SSL_CTX_free(context_);
}

RedisSocket::~RedisSocket() {
  close();
}

void RedisSocket::close() noexcept {
  if (ssl_ != nullptr) SSL_free(std::exchange(ssl_, nullptr));
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

Result<> RedisSocket::connect(const RedisServer& server,
                              const std::shared_ptr<RedisTlsContext>& tls, milliseconds limit) {
  close();
  const Deadline deadline = SteadyClock::now() + limit;
  CONCERTO_CHECK(connect_to_any(server, deadline));
  const int on = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A peer that vanished is noticed soon, also while nothing is asked.
  const int idle_s = 5, every_s = 2, times = 3;
  ::setsockopt(descriptor_, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_KEEPINTVL, &every_s, sizeof every_s);
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
  if (!tls) return ok();
  tls_ = tls;
  return handshake(server.host, deadline);
}

/// Connects to the first address of the host that answers.
Result<> RedisSocket::connect_to_any(const RedisServer& server, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(server.port);
  if (const int error = ::getaddrinfo(server.host.c_str(), port.c_str(), &hints, &found)) {
    return unreachable("the host '" + server.host + "' is not found: " + ::gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  Error last = unreachable("the host '" + server.host + "' has no address");
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    close();
    descriptor_ = ::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor_ < 0) {
      last = system_failure("no socket", errno);
      continue;
    }
    int error = ::connect(descriptor_, at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      if (Result<> ready = wait(POLLOUT, deadline); !ready) {
        last = std::move(ready).error();
        continue;
      }
      socklen_t bytes = sizeof error;
      ::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &bytes);
    }
    if (error == 0) return ok();
    last = system_failure("no connection to " + server.text(), error);
  }
  close();
  return last;
}

Result<> RedisSocket::wait(short events, Deadline deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - SteadyClock::now());
    if (left.count() <= 0) return unreachable(std::string(no_answer));
    pollfd waited{descriptor_, events, 0};
    const int ready =
        ::poll(&waited, 1, static_cast<int>(std::min(left, milliseconds{60'000}).count()));
    if (ready > 0) return ok();
    if (ready < 0 && errno != EINTR) return system_failure("poll", errno);
  }
}

Result<> RedisSocket::handshake(const std::string& host, Deadline deadline) {
  ssl_ = SSL_new(tls_->get());
  if (ssl_ == nullptr || SSL_set_fd(ssl_, descriptor_) != 1) {
    return unreachable("TLS: " + tls_reason());
  }
  if (!is_address(host)) SSL_set_tlsext_host_name(ssl_, host.c_str());
  if (!tls_->checks_host()) {
    // Whoever the certificate names is accepted.
  } else if (is_address(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host.c_str());
  } else {
    SSL_set1_host(ssl_, host.c_str());
  }
  for (;;) {
    const int done = SSL_connect(ssl_);
    if (done == 1) return ok();
    CONCERTO_CHECK(wait_for_tls(done, deadline));
  }
}

Result<> RedisSocket::wait_for_tls(int result, Deadline deadline) {
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return wait(POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
      return wait(POLLOUT, deadline);
    default: {
      const long verified = SSL_get_verify_result(ssl_);
      if (verified != X509_V_OK) {
        ERR_clear_error();
        return unreachable(std::string("TLS: the server's certificate is not accepted: ") +
                           X509_verify_cert_error_string(verified));
      }
      return unreachable("TLS: " + tls_reason());
    }
  }
}

Result<> RedisSocket::write(std::string_view bytes, milliseconds limit) {
  const Deadline deadline = SteadyClock::now() + limit;
  while (!bytes.empty()) {
    if (ssl_ != nullptr) {
      std::size_t written = 0;
      const int done = SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written);
      if (done != 1) CONCERTO_CHECK(wait_for_tls(done, deadline));
      bytes.remove_prefix(written);
      continue;
    }
    const ssize_t written = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      CONCERTO_CHECK(wait(POLLOUT, deadline));
    } else if (errno != EINTR) {
      return system_failure("the connection was lost", errno);
    }
  }
  return ok();
}

Result<std::size_t> RedisSocket::read(std::span<char> into, milliseconds limit) {
  const Deadline deadline = SteadyClock::now() + limit;
  for (;;) {
    if (ssl_ != nullptr) {
      std::size_t got = 0;
      const int done = SSL_read_ex(ssl_, into.data(), into.size(), &got);
      if (done == 1) return got;
      CONCERTO_CHECK(wait_for_tls(done, deadline));
      continue;
    }
    const ssize_t got = ::recv(descriptor_, into.data(), into.size(), 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) return unreachable("Redis has closed the connection");
    if (errno == EAGAIN) {
      CONCERTO_CHECK(wait(POLLIN, deadline));
    } else if (errno != EINTR) {
      return system_failure("the connection was lost", errno);
    }
  }
}

}  // namespace concerto::persist
