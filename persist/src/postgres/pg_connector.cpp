#include "pg_connector.hpp"

#include <optional>
#include <utility>

namespace concerto::persist {

PgConnector::PgConnector(Executor executor, PgOptions options)
    : executor_(executor), options_(std::move(options)), hosts_(std::move(executor)) {}

/// Each address has the whole time limit of a connection, so that an address that does not answer
/// keeps nobody from the next one.
Async<std::unique_ptr<SqlConnection>> PgConnector::connect() {
  std::optional<Error> first;
  const std::string tried = std::exchange(last_address_, {});
  if (!tried.empty()) {
    auto again = co_await connect_to(last_host_, tried);
    if (again) {
      last_address_ = tried;
      co_return again;
    }
    first = again.error();
  }
  for (std::size_t i = 0; i < options_.hosts.size(); ++i) {
    const std::string host = options_.hosts[i];
    const Result<std::vector<std::string>> addresses = co_await hosts_.of(host);
    if (!addresses) {
      if (!first) first = make_error(SqlErrc::not_now, "PostgreSQL: " + addresses.error().detail);
      continue;
    }
    for (const std::string& address : *addresses) {
      if (address == tried && host == last_host_) continue;
      auto connected = co_await connect_to(host, address);
      if (connected) {
        last_host_ = host;
        last_address_ = address;
        co_return connected;
      }
      if (!first) first = connected.error();
    }
  }
  co_return first.value_or(make_error(SqlErrc::wrong_schema, "PostgreSQL: there is no host"));
}

Async<std::unique_ptr<SqlConnection>> PgConnector::connect_to(std::string host,
                                                              std::string address) {
  auto connection = std::make_unique<PgConnection>(executor_, options_);
  CONCERTO_CO_CHECK(co_await connection->open(std::move(host), std::move(address)));
  co_return std::unique_ptr<SqlConnection>(std::move(connection));
}

std::string PgConnector::place() const {
  std::string host, port, database;
  for (const std::string& one : options_.hosts) host += (host.empty() ? "" : ",") + one;
  for (const auto& [keyword, value] : options_.parameters) {
    if (keyword == "port") port = value;
    if (keyword == "dbname") database = value;
  }
  return "PostgreSQL at " + host + ":" + port + ", database '" + database + "', schema '" +
         options_.schema + "'";
}

}  // namespace concerto::persist
