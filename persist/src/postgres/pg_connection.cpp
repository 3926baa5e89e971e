#include "pg_connection.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "pg_rows.hpp"
#include "pg_schema.hpp"
#include "pg_statements.hpp"

namespace concerto::persist {
namespace {

std::string text_array(const std::vector<std::string>& texts) {
  PgArray array(PgArray::Type::text);
  for (const std::string& text : texts) array.text(text);
  return array.take();
}

std::int64_t as_limit(std::size_t limit) {
  return static_cast<std::int64_t>(
      std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max()));
}

std::string application_name(const std::string& node) {
  return "concerto " + node;
}

/// Whether a name is taken already.
bool is_of_made_table(std::string_view sqlstate) {
  return sqlstate == "23505" || sqlstate == "42P07" || sqlstate == "42710";
}

/// A double-quoted identifier.
std::string identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

/// Sets `is_made` of the changes whose gids the statement has returned.
template <class Rows, class GidOf>
void note_made(const PgResult& result, const std::vector<Rows*>& changes, GidOf gid_of) {
  std::set<std::string_view> made;
  for (int row = 0; row < result.rows(); ++row) made.insert(result.text(row, 0));
  for (Rows* change : changes) change->is_made = made.contains(gid_of(*change));
}

PgParams list_params(const ListRows& filter, std::int64_t before, std::size_t limit) {
  PgParams params;
  params.int8(before);
  params.value(text_array(filter.statuses));
  params.text_or_null(filter.trans_type);
  params.timestamp_or_null(filter.created_from);
  params.timestamp_or_null(filter.created_to);
  params.int8(as_limit(limit));
  return params;
}

/// What a new session sets.
std::string setup_of(const PgOptions& options) {
  const auto statement_ms = std::to_string(options.time_limits.statement.count());
  const auto lock_ms = std::to_string(options.time_limits.lock.count());
  return "SET search_path = " + identifier(options.schema) + "; " + pg::session_settings +
         "; SET statement_timeout = " + statement_ms + "; SET lock_timeout = " + lock_ms;
}

}  // namespace

PgConnection::PgConnection(Executor executor, const PgOptions& options)
    : options_(options), session_(std::move(executor), options.time_limits) {}

Async<> PgConnection::open(std::string host, std::string address) {
  PgParameters parameters = options_.parameters;
  parameters.emplace_back("host", std::move(host));
  // Without an address libpq would look the host up, and block the store's thread.
  if (!address.starts_with('/')) parameters.emplace_back("hostaddr", std::move(address));
  parameters.emplace_back("application_name", application_name(options_.node));
  parameters.emplace_back("client_encoding", "UTF8");
  parameters.emplace_back("gssencmode", "disable");  // it would block
  parameters.emplace_back("target_session_attrs", "read-write");
  std::string setup = setup_of(options_);
  co_return co_await session_.connect(std::move(parameters), std::move(setup));
}

Async<PgResult> PgConnection::run_one(const PgStatement& statement, PgParams params) {
  std::vector<PgCall> calls(1);
  calls.front().statement = &statement;
  calls.front().params = std::move(params);
  CONCERTO_CO_TRY(std::vector<PgResult> results, co_await session_.run(std::move(calls)));
  co_return std::move(results.front());
}

Async<bool> PgConnection::affects_one(const PgStatement& statement, PgParams params) {
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(statement, std::move(params)));
  co_return result.affected() > 0;
}

Async<std::chrono::nanoseconds> PgConnection::now() {
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::now, PgParams{}));
  co_return std::chrono::microseconds(result.microseconds(0, 0));
}

/// The statements of a group without changes need the same rights as those of any other.
Async<> PgConnection::check_write() {
  std::vector<PgCall> calls;
  calls.push_back(create_call({}));
  calls.push_back(update_call({}));
  CONCERTO_CO_CHECK(co_await session_.run(std::move(calls)));
  co_return ok();
}

PgCall PgConnection::create_call(const std::vector<CreateRows*>& creates) const {
  return {&pg::create, create_params(creates, options_.lease.in_row.count())};
}

PgCall PgConnection::update_call(const std::vector<UpdateRows*>& updates) const {
  const std::int64_t lease = options_.lease.in_row.count();
  const std::int64_t renew_below = (options_.lease.in_row - options_.lease.slack).count();
  return {&update_statement(updates), update_params(updates, options_.node, renew_below, lease)};
}

Async<> PgConnection::write(RowGroup& group) {
  std::vector<PgCall> calls;
  if (!group.creates.empty()) calls.push_back(create_call(group.creates));
  if (!group.updates.empty()) calls.push_back(update_call(group.updates));
  if (calls.empty()) co_return ok();
  CONCERTO_CO_TRY(const std::vector<PgResult> results, co_await session_.run(std::move(calls)));
  if (!group.creates.empty()) {
    note_made(results.front(), group.creates,
              [](const CreateRows& rows) -> std::string_view { return rows.trans.gid; });
  }
  if (!group.updates.empty()) {
    note_made(results.back(), group.updates,
              [](const UpdateRows& rows) -> std::string_view { return rows.gid; });
  }
  co_return ok();
}

Async<std::vector<StoredTrans>> PgConnection::load(std::vector<std::string> gids) {
  PgParams params;
  params.value(text_array(gids));
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::load, std::move(params)));
  co_return joined_rows_of(result);
}

Async<> PgConnection::add_branches(std::vector<StoredTrans>& transactions) {
  std::map<std::string_view, StoredTrans*> by_gid;
  std::vector<std::string> gids;
  for (StoredTrans& stored : transactions) {
    by_gid.emplace(stored.row.gid, &stored);
    gids.push_back(stored.row.gid);
  }
  if (gids.empty()) co_return ok();
  PgParams params;
  params.value(text_array(gids));
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::branches, std::move(params)));
  for (int row = 0; row < result.rows(); ++row) {
    by_gid.at(result.text(row, 0))->branches.push_back(branch_of(result, row, 1));
  }
  co_return ok();
}

Async<std::vector<StoredTrans>> PgConnection::claim(std::vector<ClaimRow> rows) {
  std::ranges::sort(rows, {}, &ClaimRow::gid);
  PgArray gids(PgArray::Type::text), always(PgArray::Type::boolean);
  for (const ClaimRow& row : rows) {
    gids.text(row.gid);
    always.boolean(row.how == Claim::always);
  }
  PgParams params;
  params.value(gids.take());
  params.value(always.take());
  params.text(options_.node);
  params.int8(options_.lease.in_row.count());
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::claim, std::move(params)));
  std::vector<StoredTrans> found = rows_without_branches_of(result);
  CONCERTO_CO_CHECK(co_await add_branches(found));
  co_return found;
}

Async<std::vector<StoredTrans>> PgConnection::claim_due(std::size_t limit) {
  PgParams params;
  params.int8(as_limit(limit));
  params.text(options_.node);
  params.int8(options_.lease.in_row.count());
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::claim_due, std::move(params)));
  std::vector<StoredTrans> found = rows_without_branches_of(result);
  CONCERTO_CO_CHECK(co_await add_branches(found));
  co_return found;
}

Async<std::vector<std::string>> PgConnection::renew(std::vector<std::string> gids) {
  std::ranges::sort(gids);
  PgParams params;
  params.value(text_array(gids));
  params.text(options_.node);
  params.int8(options_.lease.in_row.count());
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::renew, std::move(params)));
  co_return first_column_of(result);
}

Async<> PgConnection::let_go(std::string gid, RowTime until) {
  PgParams params;
  params.text(gid);
  params.text(options_.node);
  params.timestamp(until);
  CONCERTO_CO_CHECK(co_await run_one(pg::let_go, std::move(params)));
  co_return ok();
}

Async<std::vector<std::string>> PgConnection::resting(std::chrono::seconds beyond,
                                                      RowTime unchanged_since, std::size_t limit) {
  constexpr std::chrono::seconds far{std::chrono::years{100}};  // PostgreSQL's times end later.
  PgParams params;
  params.int8(std::clamp(beyond, -far, far).count());
  params.timestamp(unchanged_since);
  params.int8(as_limit(limit));
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::resting, std::move(params)));
  co_return first_column_of(result);
}

Async<SqlConnection::BacklogRows> PgConnection::backlog(std::size_t limit) {
  PgParams params;
  params.int8(as_limit(limit));
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::backlog, std::move(params)));
  BacklogRows rows;
  for (int row = 0; row < result.rows(); ++row) {
    rows.by_type.emplace_back(result.string(row, 0),
                              static_cast<std::size_t>(result.integer(row, 1)));
    const auto oldest = result.time(row, 2);
    if (oldest && (!rows.oldest || *oldest < *rows.oldest)) rows.oldest = oldest;
  }
  co_return rows;
}

Async<std::vector<StoredTrans>> PgConnection::scan_unfinished(std::int64_t from,
                                                              std::size_t limit) {
  PgParams params;
  params.int8(from);
  params.int8(as_limit(limit));
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::scan, std::move(params)));
  co_return rows_without_branches_of(result);
}

/// Whether few rows have one of the statuses. The rows are counted only as far as that.
Async<bool> PgConnection::are_rare(std::vector<std::string> statuses) {
  if (!may_be_rare(statuses) || common_.contains(statuses)) co_return false;
  PgParams params;
  params.value(text_array(statuses));
  params.int8(few_rows);
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::count_rare, std::move(params)));
  const bool is_rare = result.integer(0, 0) <= few_rows;
  if (!is_rare) common_.add(std::move(statuses));
  co_return is_rare;
}

Async<std::vector<StoredTrans>> PgConnection::list(ListRows filter) {
  CONCERTO_CO_TRY(const bool is_rare, co_await are_rare(filter.statuses));
  const PgStatement& statement = is_rare ? pg::list_rare : pg::list;
  std::vector<StoredTrans> found;
  std::int64_t before = filter.before.value_or(std::numeric_limits<std::int64_t>::max());
  for (;;) {
    PgParams params = list_params(filter, before, filter.limit - found.size());
    CONCERTO_CO_TRY(const PgResult result, co_await run_one(statement, std::move(params)));
    std::ranges::move(rows_without_branches_of(result), std::back_inserter(found));
    if (is_rare || found.size() >= filter.limit) break;
    PgParams from;
    from.int8(before);
    CONCERTO_CO_TRY(const PgResult end, co_await run_one(pg::list_end, std::move(from)));
    if (end.is_null(0, 0)) break;
    before = end.integer(0, 0);
  }
  if (filter.with_branches) CONCERTO_CO_CHECK(co_await add_branches(found));
  co_return found;
}

Async<std::vector<KvRow>> PgConnection::find_kv(std::string cat, std::string key, std::string after,
                                                std::size_t limit) {
  PgParams params;
  params.text(cat);
  params.text(key);
  params.text(after);
  params.int8(as_limit(limit));
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::find_kv, std::move(params)));
  std::vector<KvRow> found;
  for (int row = 0; row < result.rows(); ++row) {
    KvRow kv;
    kv.cat = result.string(row, 0);
    kv.key = result.string(row, 1);
    kv.value = result.string(row, 2);
    kv.version = result.integer(row, 3);
    kv.create_time = result.time(row, 4).value_or(0);
    kv.update_time = result.time(row, 5).value_or(0);
    found.push_back(std::move(kv));
  }
  co_return found;
}

Async<bool> PgConnection::create_kv(KvRow row) {
  PgParams params;
  params.text(row.cat);
  params.text(row.key);
  params.text(row.value);
  params.int8(row.version);
  params.timestamp(row.create_time);
  params.timestamp(row.update_time);
  co_return co_await affects_one(pg::create_kv, std::move(params));
}

Async<bool> PgConnection::update_kv(KvRow row) {
  PgParams params;
  params.text(row.cat);
  params.text(row.key);
  params.text(row.value);
  params.int8(row.version);
  params.timestamp(row.update_time);
  co_return co_await affects_one(pg::update_kv, std::move(params));
}

Async<bool> PgConnection::delete_kv(std::string cat, std::string key) {
  PgParams params;
  params.text(cat);
  params.text(key);
  co_return co_await affects_one(pg::delete_kv, std::move(params));
}

Async<std::size_t> PgConnection::delete_finished(TransStatus status, RowTime before,
                                                 std::size_t limit) {
  PgParams params;
  params.text(to_string(status));
  params.timestamp(before);
  params.int8(as_limit(limit));
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::delete_finished, std::move(params)));
  co_return static_cast<std::size_t>(result.integer(0, 0));
}

Async<> PgConnection::end_backend(BackendId backend) {
  for (;;) {
    PgParams params;
    params.int8(backend.process);
    params.text(application_name(options_.node));
    CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::end_backend, std::move(params)));
    if (result.rows() == 0) co_return ok();
    CONCERTO_CO_CHECK(co_await run_one(pg::pause, PgParams{}));
  }
}

Async<> PgConnection::await_standbys() {
  CONCERTO_CO_CHECK(co_await run_one(pg::await_standbys, PgParams{}));
  co_return ok();
}

Async<SqlConnection::SchemaCheck> PgConnection::check_schema() {
  CONCERTO_CO_TRY(const PgResult result, co_await run_one(pg::columns, PgParams{}));
  std::set<std::string> known;
  for (int row = 0; row < result.rows(); ++row) {
    known.insert(result.string(row, 0));
    known.insert(result.string(row, 0) + "." + result.string(row, 1));
  }
  SchemaCheck check;
  check.has_none = known.empty();
  const auto need = [&](const std::string& name) {
    if (known.contains(name)) return true;
    check.wrong += (check.wrong.empty() ? "" : ", ") + name;
    return false;
  };
  for (const PgTable& table : pg_tables) {
    if (!need(std::string(table.name))) continue;
    std::string_view columns = table.columns;
    while (!columns.empty()) {
      const std::string_view column = columns.substr(0, columns.find(','));
      need(std::string(table.name) + "." + std::string(column));
      columns.remove_prefix(std::min(columns.size(), column.size() + 1));
    }
  }
  co_return check;
}

/// Where coordinators start together, one may make tables after IF NOT EXISTS of another one has
/// looked. Then the other one has made nothing, and its next try finds them.
Async<> PgConnection::create_schema() {
  constexpr int attempts_max = 5;
  for (int attempt = 1;; ++attempt) {
    const Result<> created = co_await session_.run_script(pg_create_schema);
    const bool was_late = !created && is_of_made_table(session_.last_sqlstate());
    if (!was_late || attempt == attempts_max) co_return created;
  }
}

Async<> PgConnection::drop_schema() {
  co_return co_await session_.run_script(pg_drop_schema);
}

}  // namespace concerto::persist
