#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../sql/common_statuses.hpp"
#include "../sql/sql_connection.hpp"
#include "pg_session.hpp"

namespace concerto::persist {

/// How connections to PostgreSQL are opened.
struct PgOptions {
  std::vector<std::string> hosts;  ///< names, addresses or directories of sockets
  /// port, user, password, dbname, sslmode and the like.
  PgParameters parameters;
  std::string schema = "public";
  std::string node;  ///< this node's id, the owner of its rows
  LeaseTimes lease;
  PgTimeLimits time_limits;
};

/// SqlConnection on PostgreSQL.
class PgConnection final : public SqlConnection {
 public:
  PgConnection(Executor executor, const PgOptions& options);

  /// `host` is for the server's certificate, `address` for the connection. Error not_now also if
  /// the server takes no writes.
  Async<> open(std::string host, std::string address);

  bool is_usable() const noexcept override { return session_.is_usable(); }
  BackendId backend() const noexcept override { return {session_.backend()}; }
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
  Async<> await_standbys() override;
  Async<SchemaCheck> check_schema() override;
  Async<> create_schema() override;
  Async<> drop_schema() override;

 private:
  PgCall create_call(const std::vector<CreateRows*>& creates) const;
  PgCall update_call(const std::vector<UpdateRows*>& updates) const;
  Async<PgResult> run_one(const PgStatement& statement, PgParams params);
  Async<bool> affects_one(const PgStatement& statement, PgParams params);
  Async<bool> are_rare(std::vector<std::string> statuses);
  Async<> add_branches(std::vector<StoredTrans>& transactions);

  const PgOptions& options_;
  PgSession session_;
  CommonStatuses common_;
};

}  // namespace concerto::persist
