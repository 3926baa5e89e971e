#include "mysql_connector.hpp"

#include <netdb.h>
#include <utility>

#include <arpa/inet.h>
#include <boost/asio/post.hpp>

namespace concerto::persist {
namespace {

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

/// The addresses of a host. Blocks, unless only addresses are read (AI_NUMERICHOST).
Result<std::vector<std::string>> look_up(const std::string& host, int flags) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (error != 0) {
    return make_error(SqlErrc::not_now, "MySQL: host '" + host + "': " + ::gai_strerror(error));
  }
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    addresses.push_back(text_of(one->ai_addr));
  }
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

MysqlConnector::MysqlConnector(Executor executor, MysqlOptions options)
    : executor_(std::move(executor)) {
  shared_.options = std::move(options);
}

Async<std::unique_ptr<SqlConnection>> MysqlConnector::connect() {
  Error first;
  for (std::size_t i = 0; i < shared_.options.hosts.size(); ++i) {
    const std::string host = shared_.options.hosts[i];
    Result<std::vector<std::string>> addresses = co_await addresses_of(host);
    if (!addresses) {
      if (first.detail.empty()) first = addresses.error();
      continue;
    }
    for (const std::string& address : *addresses) {
      Result<std::unique_ptr<SqlConnection>> connected = co_await connect_to(address);
      if (connected) co_return connected;
      if (first.detail.empty()) first = connected.error();
    }
  }
  co_return first;
}

Async<std::unique_ptr<SqlConnection>> MysqlConnector::connect_to(std::string address) {
  const MysqlOptions& options = shared_.options;
  auto connection = std::make_unique<MysqlConnection>(executor_, shared_);
  const Result<> opened = co_await connection->open(address, options.database);
  if (opened) co_return std::unique_ptr<SqlConnection>(std::move(connection));
  if (!options.creates_database || !connection->lacks_database()) co_return opened.error();
  connection = std::make_unique<MysqlConnection>(executor_, shared_);
  CONCERTO_CO_CHECK(co_await connection->open(address, ""));
  CONCERTO_CO_CHECK(co_await connection->create_database(options.database));
  co_return std::unique_ptr<SqlConnection>(std::move(connection));
}

/// Looks a host up, on a thread that may block: Connector/C would block the store's. A host whose
/// name a certificate has to show keeps its name: then Connector/C looks it up again, and the
/// system has just had the answer.
Async<std::vector<std::string>> MysqlConnector::addresses_of(std::string host) {
  using Found = Result<std::vector<std::string>>;
  if (host.starts_with('/')) co_return std::vector<std::string>(1, host);
  const Found numeric = look_up(host, AI_NUMERICHOST);
  if (numeric) co_return numeric;
  auto start = [this, &host](Completion<Found> completion) {
    asio::post(lookups_, [host, executor = executor_, waiter = std::move(completion)]() mutable {
      Found found = look_up(host, 0);
      asio::post(executor, [answer = std::move(found), waiter = std::move(waiter)]() mutable {
        waiter(std::move(answer));
      });
    });
  };
  Found found = co_await suspend<Found>(std::move(start));
  const bool keeps_name = shared_.options.tls == MysqlTls::verify;
  if (found && keeps_name) co_return std::vector<std::string>(1, host);
  co_return found;
}

RowLimits MysqlConnector::limits() const noexcept {
  RowLimits limits;
  limits.payload_bytes_max = shared_.payload_bytes_max;
  return limits;
}

std::string MysqlConnector::place() const {
  const MysqlOptions& options = shared_.options;
  std::string hosts;
  for (const std::string& host : options.hosts) hosts += (hosts.empty() ? "" : ",") + host;
  return "MySQL at " + hosts + ":" + std::to_string(options.port) + ", database '" +
         options.database + "'";
}

}  // namespace concerto::persist
