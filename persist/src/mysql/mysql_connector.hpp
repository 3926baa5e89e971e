#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../sql/host_addresses.hpp"
#include "mysql_connection.hpp"

namespace concerto::persist {

/// Opens connections on one executor. The connections must not outlive the connector.
class MysqlConnector final : public SqlConnector {
 public:
  MysqlConnector(Executor executor, MysqlOptions options);

  /// To the first of the hosts that takes writes.
  Async<std::unique_ptr<SqlConnection>> connect() override;
  RowLimits limits() const noexcept override;
  bool has_zoneless_times() const noexcept override { return true; }
  std::string place() const override;

 private:
  Async<std::unique_ptr<SqlConnection>> connect_to(std::string address);
  Async<std::vector<std::string>> addresses_of(std::string host);

  Executor executor_;
  MysqlShared shared_;
  HostAddresses hosts_;
};

}  // namespace concerto::persist
