#include "mysql_connector.hpp"

#include <utility>

namespace concerto::persist {
MysqlConnector::MysqlConnector(Executor executor, MysqlOptions options)
    : executor_(executor), hosts_(std::move(executor)) {
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
  if (!connection->lacks_database()) co_return opened.error();
  if (!options.creates_database) {
    Error missing = opened.error();
    missing.detail += "; a start with -r makes the database and its tables";
    co_return missing;
  }
  connection = std::make_unique<MysqlConnection>(executor_, shared_);
  CONCERTO_CO_CHECK(co_await connection->open(address, ""));
  CONCERTO_CO_CHECK(co_await connection->create_database(options.database));
  co_return std::unique_ptr<SqlConnection>(std::move(connection));
}

/// A host whose name a certificate has to show keeps its name: then Connector/C looks it up again,
/// and the system has just had the answer.
Async<std::vector<std::string>> MysqlConnector::addresses_of(std::string host) {
  Result<std::vector<std::string>> found = co_await hosts_.of(host);
  if (!found) co_return make_error(SqlErrc::not_now, "MySQL: " + found.error().detail);
  if (shared_.options.tls == MysqlTls::verify) co_return std::vector<std::string>(1, host);
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
