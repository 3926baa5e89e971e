#include "mysql_statements.hpp"

#include <algorithm>
#include <limits>

#include "../sql/owner_column.hpp"

namespace concerto::persist::mysql {
namespace {

constexpr std::string_view trans_list =
    "g.id, g.gid, g.trans_type, g.status, g.query_prepared, g.protocol, g.create_time, "
    "g.update_time, g.finish_time, g.rollback_time, g.options, g.custom_data, "
    "g.next_cron_interval, g.next_cron_time, g.owner, g.ext_data, g.result, g.rollback_reason";
constexpr std::string_view branch_list =
    "b.branch_id, b.op, b.url, b.bin_data, b.status, b.create_time, b.update_time, b.finish_time";
constexpr std::string_view unfinished = "('prepared', 'submitted', 'aborting')";
/// The moment at which a claim began, the same for its two statements.
constexpr std::string_view moment = "CAST(@cc_now AS DATETIME)";

MysqlText text_with(const MysqlTerms& terms) {
  return MysqlText(terms.zone);
}

std::int64_t as_limit(std::size_t limit) {
  return static_cast<std::int64_t>(
      std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max()));
}

std::string begin(const MysqlTerms& terms) {
  return std::string(terms.dialect.begin());
}

MysqlText& ids_in(MysqlText& text, const std::vector<std::int64_t>& ids) {
  text.sql("id IN (").list(ids, [&text](std::int64_t id) { text.number(id); });
  return text.sql(")");
}

MysqlText& lease_end(MysqlText& text, const MysqlTerms& terms) {
  return text.sql("NOW() + INTERVAL ").number(terms.lease.in_row.count()).sql(" SECOND");
}

std::string lock_clause(const MysqlTerms& terms) {
  return terms.dialect.skips_locked ? " FOR UPDATE SKIP LOCKED" : " FOR UPDATE";
}

/// Whether a claim may take the row.
std::string may_be_claimed(const MysqlTerms& terms, const std::vector<ClaimRow>& rows) {
  std::vector<std::string> gids, always;
  for (const ClaimRow& row : rows) {
    gids.push_back(row.gid);
    if (row.how == Claim::always) always.push_back(row.gid);
  }
  MysqlText text = text_with(terms);
  text.sql("(g.status IN ").sql(unfinished).sql(" AND CAST(g.gid AS BINARY) IN (").texts(gids);
  text.sql(") AND (g.owner IN (").text(terms.node).sql(", ").text(rest_mark);
  text.sql(") OR g.next_cron_time IS NULL OR g.next_cron_time <= ").sql(moment);
  if (!always.empty()) text.sql(" OR g.gid IN (").texts(always).sql(")");
  return text.sql("))").take();
}

std::int64_t before_of(const ListRows& filter) {
  return filter.before.value_or(std::numeric_limits<std::int64_t>::max());
}

/// Adds what a list wants of its rows beside their ids.
MysqlText& listed(MysqlText& text, const ListRows& filter) {
  if (!filter.statuses.empty()) text.sql(" AND g.status IN (").texts(filter.statuses).sql(")");
  if (filter.trans_type) text.sql(" AND g.trans_type = ").text(*filter.trans_type);
  if (filter.created_from) text.sql(" AND g.create_time >= ").time(*filter.created_from);
  if (filter.created_to) text.sql(" AND g.create_time <= ").time(*filter.created_to);
  return text;
}

}  // namespace

Statements setup(const MysqlTerms& terms, std::chrono::seconds now_east_of_utc,
                 std::chrono::seconds lock_wait) {
  MysqlText text = text_with(terms);
  text.sql("SET SESSION time_zone = ").text(zone_text(now_east_of_utc));
  text.sql(", sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', autocommit = 1");
  // Servers can be told to ignore the character set that a client names when it connects.
  text.sql(", character_set_client = utf8mb4, character_set_connection = utf8mb4");
  text.sql(", character_set_results = utf8mb4");
  text.sql(", innodb_lock_wait_timeout = ").number(lock_wait.count());
  // Of whole tables, which an ALTER TABLE has.
  text.sql(", lock_wait_timeout = ").number(lock_wait.count());
  // A connection of the pool may be idle for as long as it lives.
  text.sql(", wait_timeout = 86400");
  return {text.take(), "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
          "SELECT @@max_allowed_packet, @@global.read_only",
          "SELECT CRC32(host) FROM information_schema.processlist WHERE id = CONNECTION_ID()"};
}

Statements check_write() {
  return {"INSERT INTO trans_global SELECT * FROM trans_global WHERE FALSE",
          "INSERT INTO trans_branch_op SELECT * FROM trans_branch_op WHERE FALSE",
          "UPDATE trans_global SET status = status WHERE FALSE",
          "UPDATE trans_branch_op SET status = status WHERE FALSE"};
}

std::string load(const MysqlTerms& terms, const std::vector<std::string>& gids) {
  MysqlText text = text_with(terms);
  text.sql("SELECT ").sql(trans_list).sql(", g.next_cron_time <= NOW(), 0, ").sql(branch_list);
  text.sql(" FROM trans_global g FORCE INDEX (gid) LEFT JOIN trans_branch_op b FORCE INDEX");
  text.sql(" (gid_uniq) ON b.gid = g.gid WHERE g.gid IN (").texts(gids);
  return text.sql(") ORDER BY g.id, b.id").take();
}

Statements claim(const MysqlTerms& terms, const std::vector<ClaimRow>& rows) {
  std::vector<std::string> gids;
  for (const ClaimRow& row : rows) gids.push_back(row.gid);
  const std::string may = may_be_claimed(terms, rows);
  MysqlText read = text_with(terms), write = text_with(terms);
  read.sql("SELECT ").sql(trans_list).sql(", g.next_cron_time <= ").sql(moment).sql(", ").sql(may);
  read.sql(" FROM trans_global g FORCE INDEX (gid) WHERE g.gid IN (").texts(gids);
  read.sql(") ORDER BY g.gid FOR UPDATE");
  write.sql("UPDATE trans_global g FORCE INDEX (gid) SET g.owner = ").text(terms.node);
  write.sql(", g.next_cron_time = ");
  lease_end(write, terms).sql(" WHERE g.gid IN (").texts(gids).sql(") AND ").sql(may);
  return {"SET @cc_now = NOW()", begin(terms),          read.take(),
          write.take(),          branches(terms, gids), "COMMIT"};
}

Statements find_due(const MysqlTerms& terms, std::size_t limit) {
  const bool locks = terms.dialect.skips_locked;
  Statements statements;
  if (locks) statements.push_back(begin(terms));
  // Each status has its own range of the index, in the order of next_cron_time.
  for (const std::string_view status : {"submitted", "aborting", "prepared"}) {
    MysqlText text = text_with(terms);
    text.sql("SELECT ").sql(trans_list).sql(", 1, 1 FROM trans_global g FORCE INDEX");
    text.sql(" (status_next_cron_time) WHERE g.status = ").text(status);
    text.sql(" AND g.next_cron_time <= NOW() ORDER BY g.next_cron_time LIMIT ");
    text.number(as_limit(limit));
    if (locks) text.sql(lock_clause(terms));
    statements.push_back(text.take());
  }
  return statements;
}

Statements lock_due(const MysqlTerms& terms, const std::vector<std::int64_t>& ids) {
  MysqlText text = text_with(terms);
  text.sql("SELECT ")
      .sql(trans_list)
      .sql(", 1, 1 FROM trans_global g FORCE INDEX (PRIMARY) WHERE g.");
  ids_in(text, ids).sql(" AND g.status IN ").sql(unfinished);
  text.sql(" AND g.next_cron_time <= NOW() ORDER BY g.id FOR UPDATE");
  return {begin(terms), text.take()};
}

Statements take(const MysqlTerms& terms, const std::vector<std::int64_t>& ids,
                const std::vector<std::string>& gids) {
  MysqlText text = text_with(terms);
  text.sql("UPDATE trans_global SET owner = ").text(terms.node).sql(", next_cron_time = ");
  lease_end(text, terms).sql(" WHERE ");
  return {ids_in(text, ids).take(), branches(terms, gids), "COMMIT"};
}

std::string branches(const MysqlTerms& terms, const std::vector<std::string>& gids) {
  MysqlText text = text_with(terms);
  text.sql("SELECT b.gid, ").sql(branch_list);
  text.sql(" FROM trans_branch_op b FORCE INDEX (gid_uniq) WHERE b.gid IN (").texts(gids);
  return text.sql(") ORDER BY b.id").take();
}

Statements renew(const MysqlTerms& terms, const std::vector<std::string>& gids) {
  MysqlText ours = text_with(terms);
  ours.sql("gid IN (").texts(gids).sql(") AND owner = ").text(terms.node);
  const std::string where = ours.sql(" AND status IN ").sql(unfinished).take();
  MysqlText write = text_with(terms);
  write.sql("UPDATE trans_global FORCE INDEX (gid) SET next_cron_time = ");
  lease_end(write, terms).sql(" WHERE ").sql(where);
  return {begin(terms), write.take(),
          "SELECT gid FROM trans_global FORCE INDEX (gid) WHERE " + where, "COMMIT"};
}

std::string let_go(const MysqlTerms& terms, const std::string& gid, RowTime until) {
  MysqlText text = text_with(terms);
  text.sql("UPDATE trans_global FORCE INDEX (gid) SET owner = ").text(rest_mark);
  text.sql(", next_cron_time = ").time(until).sql(" WHERE gid = ").text(gid);
  return text.sql(" AND owner = ").text(terms.node).sql(" AND status IN ").sql(unfinished).take();
}

std::string resting(const MysqlTerms& terms, const Resting& rows) {
  // The clamp keeps the time within what DATETIME can hold.
  constexpr std::chrono::seconds far{std::chrono::years{100}};
  MysqlText text = text_with(terms);
  text.sql("SELECT gid FROM trans_global FORCE INDEX (status_next_cron_time) WHERE status = ");
  text.text(to_string(rows.status)).sql(" AND next_cron_time > NOW() + INTERVAL ");
  text.number(std::clamp(rows.beyond, -far, far).count()).sql(" SECOND AND (update_time <= ");
  text.time(rows.unchanged_since).sql(" OR update_time IS NULL) AND (owner = ").text(rest_mark);
  text.sql(" OR owner NOT LIKE ").text(std::string(node_mark) + "%");
  // The order of the whole index: by next_cron_time alone, MariaDB sorts where the collations of
  // literal and column differ.
  text.sql(") ORDER BY status DESC, next_cron_time DESC LIMIT ");
  return text.number(as_limit(rows.limit)).take();
}

std::string backlog(const MysqlTerms& terms, std::size_t limit) {
  MysqlText text = text_with(terms);
  text.sql(
      "SELECT u.trans_type, COUNT(*), MIN(u.create_time) FROM (SELECT trans_type, create_time");
  text.sql(" FROM trans_global FORCE INDEX (status_next_cron_time) WHERE status IN ");
  text.sql(unfinished).sql(" LIMIT ").number(as_limit(limit));
  return text.sql(") AS u GROUP BY u.trans_type").take();
}

std::string scan(const MysqlTerms& terms, std::int64_t from, std::size_t limit) {
  MysqlText text = text_with(terms);
  text.sql("SELECT ").sql(trans_list).sql(", g.next_cron_time <= NOW(), 0 FROM trans_global g");
  text.sql(" FORCE INDEX (status_next_cron_time) WHERE g.status IN ").sql(unfinished);
  text.sql(" AND g.id >= ").number(from).sql(" ORDER BY g.id LIMIT ");
  return text.number(as_limit(limit)).take();
}

std::string count_some(const MysqlTerms& terms, const std::vector<std::string>& statuses,
                       std::size_t most) {
  MysqlText text = text_with(terms);
  text.sql("SELECT COUNT(*) FROM (SELECT 1 FROM trans_global FORCE INDEX (status_next_cron_time)");
  text.sql(" WHERE status IN (").texts(statuses).sql(") LIMIT ").number(as_limit(most));
  return text.sql(") AS s").take();
}

std::string list_rare(const MysqlTerms& terms, const ListRows& filter) {
  MysqlText text = text_with(terms);
  text.sql("SELECT ").sql(trans_list).sql(", g.next_cron_time <= NOW(), 0 FROM");
  // The index has no order of ids for a status. So it is sorted, and only the page's rows are read
  // from the table.
  text.sql(" (SELECT g.id FROM trans_global g FORCE INDEX (status_next_cron_time) WHERE g.id < ");
  text.number(before_of(filter));
  listed(text, filter).sql(" ORDER BY g.id DESC LIMIT ").number(as_limit(filter.limit));
  text.sql(") AS p STRAIGHT_JOIN trans_global g ON g.id = p.id ORDER BY g.id DESC");
  return text.take();
}

Statements list_part(const MysqlTerms& terms, const ListRows& filter) {
  MysqlText first = text_with(terms), rows = text_with(terms);
  first.sql("SET @cc_first = (SELECT MAX(id) FROM trans_global WHERE id < ");
  first.number(before_of(filter)).sql(")");
  rows.sql("SELECT ").sql(trans_list).sql(", g.next_cron_time <= NOW(), 0 FROM trans_global g");
  rows.sql(" FORCE INDEX (PRIMARY) WHERE g.id <= @cc_first AND g.id > @cc_first - ");
  rows.number(list_part_ids);
  listed(rows, filter).sql(" ORDER BY g.id DESC LIMIT ").number(as_limit(filter.limit));
  return {first.take(), rows.take(), "SELECT @cc_first"};
}

Statements find_finished(const MysqlTerms& terms, TransStatus status, RowTime before,
                         std::size_t limit) {
  MysqlText text = text_with(terms);
  // next_cron_time, by which the index finds old rows, is near the time at which a row finished.
  text.sql("SELECT id, gid FROM trans_global FORCE INDEX (status_next_cron_time) WHERE status = ");
  text.text(to_string(status)).sql(" AND next_cron_time < ").time(before);
  text.sql(" AND COALESCE(finish_time, rollback_time, update_time) < ").time(before);
  text.sql(" ORDER BY next_cron_time LIMIT ").number(as_limit(limit)).sql(lock_clause(terms));
  return {begin(terms), text.take()};
}

Statements remove(const MysqlTerms& terms, const std::vector<std::int64_t>& ids,
                  const std::vector<std::string>& gids) {
  MysqlText rows = text_with(terms), branches = text_with(terms);
  rows.sql("DELETE FROM trans_global WHERE ");
  branches.sql("DELETE FROM trans_branch_op WHERE gid IN (").texts(gids).sql(")");
  return {ids_in(rows, ids).take(), branches.take(), "COMMIT"};
}

std::string find_session(std::uint32_t id, std::uint32_t client) {
  return "SELECT id FROM information_schema.processlist WHERE (id & 4294967295) = " +
         std::to_string(id) + " AND CRC32(host) = " + std::to_string(client);
}

std::string end_session(const MysqlTerms& terms, std::int64_t id) {
  return (terms.dialect.is_tidb ? "KILL TIDB " : "KILL ") + std::to_string(id);
}

}  // namespace concerto::persist::mysql
