#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "mysql_connection.hpp"
#include "mysql_error.hpp"
#include "mysql_rows.hpp"
#include "mysql_schema.hpp"

namespace concerto::persist {

Async<SqlConnection::BacklogRows> MysqlConnection::backlog(std::size_t limit) {
  CONCERTO_CO_TRY(MysqlResult result,
                  co_await run_one(mysql::backlog(terms_, limit), MysqlWork::reads));
  BacklogRows rows;
  while (result.next()) {
    rows.by_type.emplace_back(result.string(0), static_cast<std::size_t>(result.integer(1)));
    const auto oldest = result.time(2, terms_.zone);
    if (oldest && (!rows.oldest || *oldest < *rows.oldest)) rows.oldest = oldest;
  }
  co_return rows;
}

Async<std::vector<StoredTrans>> MysqlConnection::scan_unfinished(std::int64_t from,
                                                                 std::size_t limit) {
  CONCERTO_CO_TRY(MysqlResult result,
                  co_await run_one(mysql::scan(terms_, from, limit), MysqlWork::reads));
  co_return trans_rows_of(result, terms_.zone);
}

/// Whether few rows have one of the statuses. The rows are counted only as far as that.
Async<bool> MysqlConnection::are_rare(std::vector<std::string> statuses) {
  if (!may_be_rare(statuses) || common_.contains(statuses)) co_return false;
  CONCERTO_CO_TRY(
      MysqlResult result,
      co_await run_one(mysql::count_some(terms_, statuses, few_rows + 1), MysqlWork::reads));
  const bool is_rare = result.next() && result.integer(0) <= few_rows;
  if (!is_rare) common_.add(std::move(statuses));
  co_return is_rare;
}

Async<std::vector<StoredTrans>> MysqlConnection::list(ListRows filter) {
  std::vector<StoredTrans> found;
  const bool with_branches = filter.with_branches;
  CONCERTO_CO_TRY(const bool is_rare, co_await are_rare(filter.statuses));
  if (is_rare) {
    CONCERTO_CO_TRY(MysqlResult result,
                    co_await run_one(mysql::list_rare(terms_, filter), MysqlWork::reads));
    found = trans_rows_of(result, terms_.zone);
  } else {
    CONCERTO_CO_TRY(found, co_await list_parts(std::move(filter)));
  }
  if (with_branches) CONCERTO_CO_CHECK(co_await add_branches(found));
  co_return found;
}

Async<std::vector<StoredTrans>> MysqlConnection::list_parts(ListRows filter) {
  std::vector<StoredTrans> found;
  for (;;) {
    CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                    co_await session_.run(mysql::list_part(terms_, filter), MysqlWork::reads));
    std::vector<StoredTrans> part = trans_rows_of(results.at(1), terms_.zone);
    filter.limit -= part.size();
    std::ranges::move(part, std::back_inserter(found));
    MysqlResult& first = results.at(2);
    const bool has_more = first.next() && !first.is_null(0);
    if (filter.limit == 0 || !has_more) co_return found;
    filter.before = first.integer(0) - mysql::list_part_ids + 1;
  }
}

Async<> MysqlConnection::add_branches(std::vector<StoredTrans>& transactions) {
  std::vector<std::string> gids;
  for (const StoredTrans& stored : transactions) gids.push_back(stored.row.gid);
  if (gids.empty()) co_return ok();
  CONCERTO_CO_TRY(MysqlResult result,
                  co_await run_one(mysql::branches(terms_, gids), MysqlWork::reads));
  add_branch_rows(result, terms_.zone, transactions);
  co_return ok();
}

Async<std::vector<KvRow>> MysqlConnection::find_kv(std::string cat, std::string key,
                                                   std::string after, std::size_t limit) {
  CONCERTO_CO_TRY(
      MysqlResult result,
      co_await run_one(mysql::find_kv(terms_, cat, key, after, limit), MysqlWork::reads));
  co_return kv_rows_of(result, terms_.zone);
}

Async<bool> MysqlConnection::create_kv(KvRow row) {
  const auto created = co_await run_one(mysql::create_kv(terms_, row), MysqlWork::changes);
  if (created) co_return true;
  const bool exists = session_.last_failure().number == mysql_errors::duplicate_entry;
  if (session_.is_usable() && exists) co_return false;
  co_return created.error();
}

Async<bool> MysqlConnection::update_kv(KvRow row) {
  CONCERTO_CO_TRY(const MysqlResult result,
                  co_await run_one(mysql::update_kv(terms_, row), MysqlWork::changes));
  co_return result.affected() > 0;
}

Async<bool> MysqlConnection::delete_kv(std::string cat, std::string key) {
  CONCERTO_CO_TRY(const MysqlResult result,
                  co_await run_one(mysql::delete_kv(terms_, cat, key), MysqlWork::changes));
  co_return result.affected() > 0;
}

Async<std::size_t> MysqlConnection::delete_finished(TransStatus status, RowTime before,
                                                    std::size_t limit) {
  mysql::Statements find = mysql::find_finished(terms_, status, before, limit);
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(std::move(find), MysqlWork::reads));
  std::vector<std::int64_t> ids;
  std::vector<std::string> gids;
  while (results.at(1).next()) {
    ids.push_back(results.at(1).integer(0));
    gids.push_back(results.at(1).string(1));
  }
  if (ids.empty()) {
    CONCERTO_CO_CHECK(co_await end_transaction());
  } else {
    mysql::Statements remove = mysql::remove(terms_, ids, gids);
    CONCERTO_CO_CHECK(co_await session_.run(std::move(remove), MysqlWork::changes));
  }
  co_return ids.size();
}

Async<> MysqlConnection::end_backend(BackendId backend) {
  const auto packed = static_cast<std::uint64_t>(backend.process);
  const std::string find = mysql::find_session(static_cast<std::uint32_t>(packed),
                                               static_cast<std::uint32_t>(packed >> 32));
  for (;;) {
    CONCERTO_CO_TRY(MysqlResult found, co_await run_one(find, MysqlWork::reads));
    if (!found.next()) co_return ok();
    const auto ended =
        co_await run_one(mysql::end_session(terms_, found.integer(0)), MysqlWork::reads);
    const bool has_ended = session_.last_failure().number == mysql_errors::no_such_session;
    if (!ended && !has_ended) co_return ended.error();
    CONCERTO_CO_CHECK(co_await run_one("SELECT SLEEP(0.02)", MysqlWork::reads));
  }
}

Async<SqlConnection::SchemaCheck> MysqlConnection::check_schema() {
  // If only some of the tables are there, another coordinator may be making them: each is a
  // statement, and no transaction makes them all at once.
  constexpr int looks_max = 30;
  for (int look = 1;; ++look) {
    std::size_t tables = 0;
    CONCERTO_CO_TRY(SchemaCheck check, co_await look_at_schema(tables));
    const bool is_partial = !check.has_none && tables < mysql_tables.size();
    if (!is_partial || look == looks_max) co_return check;
    CONCERTO_CO_CHECK(co_await run_one("SELECT SLEEP(0.1)", MysqlWork::reads));
  }
}

/// Counts the tables that exist.
Async<SqlConnection::SchemaCheck> MysqlConnection::look_at_schema(std::size_t& tables) {
  CONCERTO_CO_TRY(MysqlResult result,
                  co_await run_one(std::string(mysql_columns), MysqlWork::reads));
  std::map<std::string, std::string, std::less<>> types;
  while (result.next()) {
    types.emplace(result.string(0), "");
    types.emplace(result.string(0) + "." + result.string(1), result.string(2));
  }
  const auto type = types.find("trans_branch_op.bin_data");
  if (type != types.end()) shared_.payload_bytes_max = bytes_max_of(type->second);
  SchemaCheck check;
  check.has_none = types.empty();
  const auto need = [&types, &check](const std::string& name) {
    if (types.contains(name)) return true;
    check.wrong += (check.wrong.empty() ? "" : ", ") + name;
    return false;
  };
  const auto need_all = [&need](const std::string& prefix, std::string_view names) {
    while (!names.empty()) {
      const std::string_view name = names.substr(0, names.find(','));
      need(prefix + std::string(name));
      names.remove_prefix(std::min(names.size(), name.size() + 1));
    }
  };
  for (const MysqlTable& table : mysql_tables) {
    const std::string name(table.name);
    const bool exists = need(name);
    if (!exists) continue;
    // While a table is being made, its keys may be seen before its columns.
    if (types.contains(name + ".id")) ++tables;
    need_all(name + ".", table.columns);
    need_all(name + ".key ", table.keys);
  }
  co_return check;
}

Async<> MysqlConnection::create_schema() {
  for (const std::string_view table : mysql_create_tables) {
    CONCERTO_CO_CHECK(co_await run_one(std::string(table), MysqlWork::reads));
  }
  co_return ok();
}

Async<> MysqlConnection::drop_schema() {
  CONCERTO_CO_CHECK(co_await run_one(std::string(mysql_drop_tables), MysqlWork::reads));
  co_return ok();
}

}  // namespace concerto::persist
