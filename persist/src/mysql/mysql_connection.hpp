#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "../sql/common_statuses.hpp"
#include "../sql/sql_connection.hpp"
#include "mysql_group.hpp"
#include "mysql_session.hpp"

namespace concerto::persist {

/// What the connections of a connector have in common.
struct MysqlShared {
  MysqlOptions options;
  /// Threads that may block: they look up hosts and open sessions. Two, so that a host that does
  /// not answer does not keep all others waiting.
  asio::thread_pool openers{2};
  /// What the type of the column bin_data holds. Any thread may read it.
  std::atomic<std::size_t> payload_bytes_max = 65'535;
};

/// SqlConnection on MySQL, MariaDB or TiDB.
class MysqlConnection final : public SqlConnection, public ZoneRecords {
 public:
  MysqlConnection(Executor executor, MysqlShared& shared);

  /// `host` is a name, an address or the path of a socket. Error not_now also if the server takes
  /// no writes.
  Async<> open(std::string host, std::string database);
  /// Whether `open` failed because there is no such database.
  bool lacks_database() const noexcept;
  Async<> create_database(std::string name);

  bool is_usable() const noexcept override;
  BackendId backend() const noexcept override;
  bool may_lack_rights() const noexcept override;

  void cut() noexcept override { session_.cut(); }

  Async<std::chrono::nanoseconds> now() override;
  Async<> check_write() override;
  Async<> write(RowGroup& group) override;
  Async<std::vector<StoredTrans>> load(std::vector<std::string> gids) override;
  Async<std::vector<StoredTrans>> claim(std::vector<ClaimRow> rows) override;
  Async<std::vector<StoredTrans>> claim_due(std::size_t limit) override;
  Async<std::vector<std::string>> renew(std::vector<std::string> gids) override;
  Async<> let_go(std::string gid, RowTime until) override;
  Async<std::vector<std::string>> resting(std::chrono::seconds beyond, RowTime unchanged_since,
                                          std::size_t limit) override;
  Async<BacklogRows> backlog(std::size_t limit) override;
  Async<std::vector<StoredTrans>> scan_unfinished(std::int64_t from, std::size_t limit) override;
  Async<std::vector<StoredTrans>> list(ListRows filter) override;
  Async<std::vector<KvRow>> find_kv(std::string cat, std::string key, std::string after,
                                    std::size_t limit) override;
  Async<bool> create_kv(KvRow row) override;
  Async<bool> update_kv(KvRow row) override;
  Async<bool> delete_kv(std::string cat, std::string key) override;
  Async<std::size_t> delete_finished(TransStatus status, RowTime before,
                                     std::size_t limit) override;
  Async<> end_backend(BackendId backend) override;
  Async<SchemaCheck> check_schema() override;
  Async<> create_schema() override;
  Async<> drop_schema() override;

  ZoneRecords* zone_records() noexcept override { return this; }
  Async<ZoneLook> look_at_zones() override;
  Async<> add_zone(std::string host) override;
  Async<bool> renew_zone(std::string host) override;
  Async<> remove_zone() override;
  Async<> remove_zones(std::vector<ZoneRecord> records) override;

 private:
  Async<SchemaCheck> look_at_schema(std::size_t& tables);
  Async<MysqlResult> run_one(std::string statement, MysqlWork work);
  Async<> write_locked(RowGroup& group);
  Async<std::vector<StoredTrans>> find_due(std::size_t limit);
  Async<std::vector<StoredTrans>> lock_due_in_two_steps(std::size_t limit);
  Async<bool> are_rare(std::vector<std::string> statuses);
  Async<std::vector<StoredTrans>> list_parts(ListRows filter);
  Async<> add_branches(std::vector<StoredTrans>& transactions);
  Async<> end_transaction();
  bool is_duplicate_gid(const mysql::GroupText& text) const;
  Error refusal_of(Error error, const mysql::GroupText& text) const;

  MysqlShared& shared_;
  const MysqlOptions& options_;
  mysql::Statements setup_;
  MysqlTerms terms_;
  std::chrono::seconds zone_{};  ///< east of UTC, as the session has it
  std::uint32_t client_ = 0;     ///< checksum of the client's end, as the server names it
  MysqlSession session_;
  CommonStatuses common_;
};

}  // namespace concerto::persist
