#pragma once

#include <memory>
#include <string>

#include "../sql/host_addresses.hpp"
#include "pg_connection.hpp"

namespace concerto::persist {

/// Opens connections on one executor, to the first address of the hosts whose server takes writes.
/// The connections must not outlive it.
class PgConnector final : public SqlConnector {
 public:
  PgConnector(Executor executor, PgOptions options);

  Async<std::unique_ptr<SqlConnection>> connect() override;
  std::string place() const override;

 private:
  Async<std::unique_ptr<SqlConnection>> connect_to(std::string host, std::string address);

  Executor executor_;
  const PgOptions options_;
  HostAddresses hosts_;
  std::string last_host_, last_address_;  ///< of the last connection that could be opened
};

}  // namespace concerto::persist
