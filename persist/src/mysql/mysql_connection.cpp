#include "mysql_connection.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

#include "mysql_error.hpp"
#include "mysql_rows.hpp"
#include "mysql_schema.hpp"

namespace concerto::persist {
namespace {

/// `a` as a quoted identifier.
std::string identifier(std::string_view name) {
  std::string quoted = "`";
  for (const char c : name) quoted += c == '`' ? std::string("``") : std::string(1, c);
  return quoted + "`";
}

std::string use(std::string_view database) {
  return "USE " + identifier(database);
}

std::vector<std::string> gids_of(const std::vector<StoredTrans>& transactions) {
  std::vector<std::string> gids;
  for (const StoredTrans& stored : transactions) gids.push_back(stored.row.gid);
  return gids;
}

std::vector<std::int64_t> ids_of(const std::vector<StoredTrans>& transactions) {
  std::vector<std::int64_t> ids;
  for (const StoredTrans& stored : transactions) ids.push_back(stored.row.id);
  return ids;
}

void sort_by_time(std::vector<StoredTrans>& transactions) {
  std::ranges::stable_sort(transactions, {},
                           [](const StoredTrans& one) { return one.row.next_cron_time; });
}

/// Removes rows that a table without regard to case has found for another gid.
void keep_asked(std::vector<StoredTrans>& found, std::vector<std::string> gids) {
  std::ranges::sort(gids);
  std::erase_if(found, [&gids](const StoredTrans& stored) {
    return !std::ranges::binary_search(gids, stored.row.gid);
  });
}

}  // namespace

MysqlConnection::MysqlConnection(Executor executor, MysqlShared& shared)
    : shared_(shared),
      options_(shared.options),
      session_(std::move(executor), shared.options, shared.openers) {
  terms_.zone = WallZone(options_.east_of_utc);
  terms_.node = options_.node;
  terms_.lease = options_.lease;
}

Async<> MysqlConnection::open(std::string host, std::string database) {
  CONCERTO_CO_CHECK(co_await session_.connect(std::move(host), std::move(database)));
  terms_.dialect = mysql_dialect(session_.server_version());
  terms_.dialect.skips_locked = terms_.dialect.skips_locked && options_.may_skip_locked;
  zone_ = terms_.zone.east_of_utc(std::time(nullptr));
  setup_ = mysql::setup(terms_, zone_, options_.time_limits.lock);
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(setup_, MysqlWork::reads));
  MysqlResult& limits = results.at(2);
  MysqlResult& client = results.at(3);
  if (limits.next()) {
    session_.set_packet_bytes_max(static_cast<std::size_t>(limits.integer(0)));
    if (limits.text(1) != "0" && limits.text(1) != "OFF") {
      co_return make_error(SqlErrc::not_now, "MySQL: the server is read-only");
    }
  }
  if (client.next()) client_ = static_cast<std::uint32_t>(client.integer(0));
  co_return ok();
}

bool MysqlConnection::lacks_database() const noexcept {
  return session_.last_failure().number == mysql_errors::unknown_database;
}

Async<> MysqlConnection::create_database(std::string name) {
  std::vector<std::string> statements;
  statements.push_back("CREATE DATABASE IF NOT EXISTS " + identifier(name) +
                       " DEFAULT CHARACTER SET utf8mb4");
  statements.push_back(use(name));
  CONCERTO_CO_CHECK(co_await session_.run(std::move(statements), MysqlWork::reads));
  co_return ok();
}

bool MysqlConnection::is_usable() const noexcept {
  // Where summer time begins or ends, NOW() would go on with the old difference to UTC.
  return zone_ == terms_.zone.east_of_utc(std::time(nullptr)) && session_.is_usable();
}

BackendId MysqlConnection::backend() const noexcept {
  return {static_cast<std::int64_t>(std::uint64_t{client_} << 32 | session_.id())};
}

bool MysqlConnection::may_lack_rights() const noexcept {
  return is_lack_of_rights(session_.last_failure().number);
}

Async<MysqlResult> MysqlConnection::run_one(std::string statement, MysqlWork work) {
  std::vector<std::string> statements(1);
  statements.front() = std::move(statement);
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(std::move(statements), work));
  co_return std::move(results.front());
}

Async<std::chrono::nanoseconds> MysqlConnection::now() {
  CONCERTO_CO_TRY(MysqlResult result,
                  co_await run_one("SELECT UNIX_TIMESTAMP(NOW(6))", MysqlWork::reads));
  result.next();
  co_return std::chrono::microseconds(std::llround(result.real(0) * 1e6));
}

Async<> MysqlConnection::check_write() {
  // A session has the rights on its database that the user had when it was selected. A lack of
  // rights is an error whatever the rows.
  mysql::Statements statements = mysql::check_write();
  statements.insert(statements.begin(), use(options_.database));
  CONCERTO_CO_CHECK(co_await session_.run(std::move(statements), MysqlWork::reads));
  co_return ok();
}

bool MysqlConnection::is_duplicate_gid(const mysql::GroupText& text) const {
  const MysqlFailure& failure = session_.last_failure();
  return failure.number == mysql_errors::duplicate_entry &&
         text.steps.at(failure.statement) == mysql::GroupText::Step::adds_trans;
}

Async<> MysqlConnection::write(RowGroup& group) {
  if (group.creates.empty() && group.updates.empty()) co_return ok();
  const mysql::GroupText text = mysql::group_text(terms_, group, mysql::Preconditions::to_check);
  const auto written = co_await session_.run(text.statements, MysqlWork::changes);
  if (written) {
    for (CreateRows* created : group.creates) created->is_made = true;
    for (UpdateRows* update : group.updates) update->is_made = true;
    co_return ok();
  }
  for (CreateRows* created : group.creates) created->is_made = false;
  for (UpdateRows* update : group.updates) update->is_made = false;
  const bool has_failed_check = session_.last_failure().number == mysql_errors::out_of_range;
  if (!has_failed_check && !is_duplicate_gid(text)) co_return refusal_of(written.error(), text);
  // Another connection finds out which changes are to be left out.
  if (!session_.is_usable()) co_return make_error(SqlErrc::not_now, written.error().detail);
  // With one change there is nothing else to write.
  if (group.creates.size() + group.updates.size() == 1) co_return ok();
  co_return co_await write_locked(group);
}

/// Writes the changes whose preconditions hold.
Async<> MysqlConnection::write_locked(RowGroup& group) {
  mysql::Statements lock = mysql::lock_group(terms_, group);
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(std::move(lock), MysqlWork::reads));
  struct Seen {
    std::string status, owner;
  };
  std::map<std::string, Seen, std::less<>> seen;
  while (results.at(1).next()) {
    const MysqlResult& row = results.at(1);
    seen.emplace(row.string(0), Seen{row.string(1), row.string(2)});
  }
  RowGroup holds;
  for (CreateRows* created : group.creates) {
    if (!seen.contains(created->trans.gid)) holds.creates.push_back(created);
  }
  for (UpdateRows* update : group.updates) {
    const auto found = seen.find(update->gid);
    if (found == seen.end() || found->second.status != to_string(update->expected)) continue;
    const bool is_ours = found->second.owner == terms_.node || is_final(update->expected);
    if (is_ours) holds.updates.push_back(update);
  }
  const mysql::GroupText text = mysql::group_text(terms_, holds, mysql::Preconditions::hold);
  const auto written = co_await session_.run(text.statements, MysqlWork::changes);
  if (written) {
    for (CreateRows* created : holds.creates) created->is_made = true;
    for (UpdateRows* update : holds.updates) update->is_made = true;
    co_return ok();
  }
  co_return refusal_of(written.error(), text);
}

/// A duplicate row is of a branch, or of a transaction that somebody else has just created.
Error MysqlConnection::refusal_of(Error error, const mysql::GroupText& text) const {
  if (session_.last_failure().number != mysql_errors::duplicate_entry) return error;
  const SqlErrc code = is_duplicate_gid(text) ? SqlErrc::refused : SqlErrc::branch_exists;
  return make_error(code, std::move(error.detail));
}

/// Ends a transaction that has found nothing to change.
Async<> MysqlConnection::end_transaction() {
  CONCERTO_CO_CHECK(co_await run_one("ROLLBACK", MysqlWork::reads));
  co_return ok();
}

Async<std::vector<StoredTrans>> MysqlConnection::load(std::vector<std::string> gids) {
  if (gids.empty()) co_return std::vector<StoredTrans>{};
  CONCERTO_CO_TRY(MysqlResult result,
                  co_await run_one(mysql::load(terms_, gids), MysqlWork::reads));
  std::vector<StoredTrans> found = joined_rows_of(result, terms_.zone);
  keep_asked(found, std::move(gids));
  co_return found;
}

Async<std::vector<StoredTrans>> MysqlConnection::claim(std::vector<ClaimRow> rows) {
  if (rows.empty()) co_return std::vector<StoredTrans>{};
  std::ranges::sort(rows, {}, &ClaimRow::gid);
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(mysql::claim(terms_, rows), MysqlWork::changes));
  std::vector<StoredTrans> found = trans_rows_of(results.at(2), terms_.zone);
  std::vector<std::string> gids;
  for (ClaimRow& row : rows) gids.push_back(std::move(row.gid));
  keep_asked(found, std::move(gids));
  add_branch_rows(results.at(4), terms_.zone, found);
  co_return found;
}

/// Rows that are due, at most `limit`. If there are any and the server can skip locked rows, a
/// transaction has begun, and the rows are locked.
Async<std::vector<StoredTrans>> MysqlConnection::find_due(std::size_t limit) {
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(mysql::find_due(terms_, limit), MysqlWork::reads));
  std::vector<StoredTrans> due;
  for (MysqlResult& result : results) {
    std::ranges::move(trans_rows_of(result, terms_.zone), std::back_inserter(due));
  }
  sort_by_time(due);
  if (due.size() > limit) due.resize(limit);
  if (due.empty() && terms_.dialect.skips_locked) CONCERTO_CO_CHECK(co_await end_transaction());
  co_return due;
}

/// Finds and locks rows in two steps, for servers that cannot skip locked rows. Between the two
/// steps another coordinator may claim all of them. Then the next ones are looked for.
Async<std::vector<StoredTrans>> MysqlConnection::lock_due_in_two_steps(std::size_t limit) {
  constexpr int attempts_max = 5;
  for (int attempt = 1;; ++attempt) {
    CONCERTO_CO_TRY(std::vector<StoredTrans> due, co_await find_due(limit));
    if (due.empty()) co_return due;
    const std::vector<std::int64_t> ids = ids_of(due);
    CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                    co_await session_.run(mysql::lock_due(terms_, ids), MysqlWork::reads));
    due = trans_rows_of(results.at(1), terms_.zone);
    sort_by_time(due);
    if (!due.empty()) co_return due;
    CONCERTO_CO_CHECK(co_await end_transaction());
    if (attempt == attempts_max) co_return due;
  }
}

Async<std::vector<StoredTrans>> MysqlConnection::claim_due(std::size_t limit) {
  if (limit == 0) co_return std::vector<StoredTrans>{};
  const bool skips = terms_.dialect.skips_locked;
  Async<std::vector<StoredTrans>> locks = skips ? find_due(limit) : lock_due_in_two_steps(limit);
  CONCERTO_CO_TRY(std::vector<StoredTrans> due, co_await std::move(locks));
  if (due.empty()) co_return due;
  const std::vector<std::int64_t> ids = ids_of(due);
  const std::vector<std::string> gids = gids_of(due);
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(mysql::take(terms_, ids, gids), MysqlWork::changes));
  add_branch_rows(results.at(1), terms_.zone, due);
  co_return due;
}

Async<std::vector<std::string>> MysqlConnection::renew(std::vector<std::string> gids) {
  std::vector<std::string> ours;
  if (gids.empty()) co_return ours;
  std::ranges::sort(gids);
  CONCERTO_CO_TRY(std::vector<MysqlResult> results,
                  co_await session_.run(mysql::renew(terms_, gids), MysqlWork::changes));
  while (results.at(2).next()) ours.push_back(results.at(2).string(0));
  co_return ours;
}

Async<> MysqlConnection::let_go(std::string gid, RowTime until) {
  CONCERTO_CO_CHECK(co_await run_one(mysql::let_go(terms_, gid, until), MysqlWork::changes));
  co_return ok();
}

Async<std::vector<std::string>> MysqlConnection::resting(std::chrono::seconds beyond,
                                                         RowTime unchanged_since,
                                                         std::size_t limit) {
  static constexpr std::array unfinished{TransStatus::submitted, TransStatus::aborting,
                                         TransStatus::prepared};
  std::vector<std::string> gids;
  for (const TransStatus status : unfinished) {
    if (gids.size() == limit) break;
    const mysql::Resting rows{status, beyond, unchanged_since, limit - gids.size()};
    std::string statement = mysql::resting(terms_, rows);
    CONCERTO_CO_TRY(MysqlResult result, co_await run_one(std::move(statement), MysqlWork::reads));
    while (result.next()) gids.push_back(result.string(0));
  }
  co_return gids;
}

}  // namespace concerto::persist
