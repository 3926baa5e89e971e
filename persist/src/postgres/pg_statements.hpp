#pragma once

#include "pg_session.hpp"

/// The statements of the store. Times of leases and "due" come from the database's clock. `$n` is
/// described where pg_connection.cpp fills it in.
namespace concerto::persist::pg {

// All statements go by indexes: a plan that was made while a table was empty must not read the
// whole table later, nor sort all of it for one page. They are too short for a second process.
inline constexpr const char* session_settings =
    "SET default_transaction_isolation = 'read committed'; SET enable_seqscan = off; "
    "SET enable_bitmapscan = off; SET max_parallel_workers_per_gather = 0";

// The columns of a StoredTrans without its branches, of a row `g`.
#define CONCERTO_PG_TRANS_COLUMNS                                                              \
  "g.id, g.gid, g.trans_type, g.status, g.query_prepared, g.protocol, g.create_time, "         \
  "g.update_time, g.finish_time, g.rollback_time, g.options, g.custom_data, "                  \
  "g.next_cron_interval, g.next_cron_time, g.owner, g.ext_data, g.result, g.rollback_reason, " \
  "g.next_cron_time <= now()"
#define CONCERTO_PG_UNFINISHED "('prepared', 'submitted', 'aborting')"
// Whose unfinished row it is. A row that is known by its gid is found by it alone: a plan that was
// made while the table was empty would as well go by the index of owners or of statuses, and read
// all rows that have them. Of these conditions, and of IS NOT DISTINCT FROM, no index is made use.
#define CONCERTO_PG_IS_HELD_BY(node) \
  "owner IS NOT DISTINCT FROM " node "::text AND coalesce(status, '') IN " CONCERTO_PG_UNFINISHED
#define CONCERTO_PG_BRANCH_COLUMNS \
  "b.branch_id, b.op, b.url, b.bin_data, b.status, b.create_time, b.update_time, b.finish_time"

inline constexpr PgStatement now{"concerto_now", "SELECT clock_timestamp()"};

// Rows that exist are left out, and their branches with them. Returns the gids that were created.
inline constexpr PgStatement create{"concerto_create", R"(
WITH g AS (
  INSERT INTO trans_global (gid, trans_type, status, query_prepared, protocol, create_time,
    update_time, finish_time, rollback_time, options, custom_data, next_cron_interval,
    next_cron_time, owner, ext_data, result, rollback_reason)
  SELECT c.gid, c.trans_type, c.status, c.query_prepared, c.protocol, c.create_time,
    c.update_time, c.finish_time, c.rollback_time, c.options, c.custom_data,
    c.next_cron_interval::int,
    CASE WHEN c.leased THEN now() + $17::bigint * interval '1 second' ELSE c.next_cron_time END,
    c.owner, '', c.result, c.rollback_reason
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
    $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[],
    $12::bigint[], $13::timestamptz[], $14::bool[], $15::text[], $16::text[], $18::text[])
    AS c(gid, trans_type, status, query_prepared, protocol, create_time, update_time, finish_time,
      rollback_time, options, custom_data, next_cron_interval, next_cron_time, leased, owner,
      result, rollback_reason)
  ON CONFLICT (gid) DO NOTHING RETURNING gid),
b AS (
  INSERT INTO trans_branch_op (gid, branch_id, op, url, bin_data, status, create_time,
    update_time, finish_time)
  SELECT c.gid, c.branch_id, c.op, c.url, c.bin_data, c.status, c.create_time, c.update_time,
    c.finish_time
  FROM unnest($19::text[], $20::text[], $21::text[], $22::text[], $23::bytea[], $24::text[],
    $25::timestamptz[], $26::timestamptz[], $27::timestamptz[]) WITH ORDINALITY
    AS c(gid, branch_id, op, url, bin_data, status, create_time, update_time, finish_time, place)
  WHERE c.gid IN (SELECT g.gid FROM g) ORDER BY c.place)
SELECT gid FROM g)"};

// A lease is renewed only if little is left of it. Returns the gids whose preconditions held. The
// arguments are what else is set in rows that exist, its parameters, and the names of these.
#define CONCERTO_PG_UPDATE(also_set, also_from, also_named)                                        \
  " WITH g AS ("                                                                                   \
  " UPDATE trans_global t SET"                                                                     \
  " status = coalesce(c.status, t.status),"                                                        \
  " update_time = c.update_time,"                                                                  \
  " finish_time = coalesce(c.finish_time, t.finish_time),"                                         \
  " rollback_time = coalesce(c.rollback_time, t.rollback_time),"                                   \
  " rollback_reason = coalesce(c.rollback_reason, t.rollback_reason),"                             \
  " result = coalesce(c.result, t.result),"                                                        \
  " custom_data = coalesce(c.custom_data, t.custom_data),"                                         \
  " options = coalesce(c.options, t.options),"                                                     \
  " next_cron_interval = coalesce(c.next_cron_interval::int, t.next_cron_interval),"               \
  " owner = CASE c.hold WHEN 1 THEN 'cc-rest' ELSE t.owner END,"                                   \
  " next_cron_time = CASE"                                                                         \
  " WHEN c.hold <> 0 THEN coalesce(c.next_cron_time, t.next_cron_time)"                            \
  " WHEN t.next_cron_time >= now() + $15::bigint * interval '1 second' THEN t.next_cron_time"      \
  " ELSE now() + $16::bigint * interval '1 second' END"                                            \
  " FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[],"         \
  " $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],"            \
  " $12::timestamptz[], $13::bigint[])"                                                            \
  " AS c(gid, expected, update_time, status, finish_time, rollback_time, rollback_reason, result," \
  " custom_data, options, next_cron_interval, next_cron_time, hold)"                               \
  " WHERE t.gid = c.gid AND t.status IS NOT DISTINCT FROM c.expected"                              \
  " AND (t.owner = $14::text OR c.expected IN ('succeed', 'failed'))"                              \
  " RETURNING t.gid),"                                                                             \
  " o AS ("                                                                                        \
  " UPDATE trans_branch_op b SET status = c.status, update_time = c.update_time,"                  \
  " finish_time = coalesce(c.finish_time, b.finish_time)" also_set                                 \
  " FROM unnest($17::text[], $18::text[], $19::text[], $20::text[], $21::timestamptz[],"           \
  " $22::timestamptz[]" also_from                                                                  \
  ")"                                                                                              \
  " AS c(gid, branch_id, op, status, update_time, finish_time" also_named                          \
  ")"                                                                                              \
  " WHERE b.gid = c.gid AND b.branch_id = c.branch_id AND b.op = c.op"                             \
  " AND c.gid IN (SELECT g.gid FROM g)),"                                                          \
  " n AS ("                                                                                        \
  " INSERT INTO trans_branch_op (gid, branch_id, op, url, bin_data, status, create_time,"          \
  " update_time, finish_time)"                                                                     \
  " SELECT c.gid, c.branch_id, c.op, c.url, c.bin_data, c.status, c.create_time, c.update_time,"   \
  " c.finish_time"                                                                                 \
  " FROM unnest($23::text[], $24::text[], $25::text[], $26::text[], $27::bytea[], $28::text[],"    \
  " $29::timestamptz[], $30::timestamptz[], $31::timestamptz[]) WITH ORDINALITY"                   \
  " AS c(gid, branch_id, op, url, bin_data, status, create_time, update_time, finish_time, place)" \
  " WHERE c.gid IN (SELECT g.gid FROM g) ORDER BY c.place)"                                        \
  " SELECT gid FROM g"
inline constexpr PgStatement update{"concerto_update", CONCERTO_PG_UPDATE("", "", "")};
// For groups in which an operator has changed a row.
inline constexpr PgStatement update_edited{
    "concerto_update_edited",
    CONCERTO_PG_UPDATE(
        ", url = coalesce(c.url, b.url), bin_data = coalesce(c.bin_data, b.bin_data)",
        ", $32::text[], $33::bytea[]", ", url, bin_data")};

// One statement reads both tables, so that the answer is of one moment. OFFSET 0 makes the branches
// of each row a read of its own by their index, also in a plan that was made while there were none.
inline constexpr PgStatement load{
    "concerto_load", "SELECT " CONCERTO_PG_TRANS_COLUMNS ", false, " CONCERTO_PG_BRANCH_COLUMNS
                     " FROM trans_global g LEFT JOIN LATERAL (SELECT * FROM trans_branch_op"
                     " WHERE gid = g.gid OFFSET 0) AS b ON true"
                     " WHERE g.gid = ANY($1::text[]) ORDER BY g.id, b.id"};

// The rows are locked first; the branches are read by a later statement, which sees what others
// had committed before the rows could be locked.
inline constexpr PgStatement claim{
    "concerto_claim",
    "WITH g AS MATERIALIZED (SELECT t.*, c.always FROM trans_global t"
    " JOIN unnest($1::text[], $2::bool[]) AS c(gid, always) ON t.gid = c.gid"
    " ORDER BY t.gid FOR UPDATE OF t),"
    " mine AS (UPDATE trans_global t SET owner = $3::text,"
    " next_cron_time = now() + $4::bigint * interval '1 second' FROM g"
    " WHERE t.id = g.id AND g.status IN " CONCERTO_PG_UNFINISHED
    " AND (g.always OR g.owner IN ($3::text, 'cc-rest') OR g.next_cron_time IS NULL"
    " OR g.next_cron_time <= now()) RETURNING t.id)"
    " SELECT " CONCERTO_PG_TRANS_COLUMNS
    ", g.id IN (SELECT mine.id FROM mine) FROM g ORDER BY g.id"};

inline constexpr PgStatement branches{"concerto_branches",
                                      "SELECT b.gid, " CONCERTO_PG_BRANCH_COLUMNS
                                      " FROM trans_branch_op b WHERE b.gid = ANY($1::text[])"
                                      " ORDER BY b.gid, b.id"};

// Each status has its own range of the index, in the order of next_cron_time.
#define CONCERTO_PG_DUE(status)                                            \
  "(SELECT * FROM trans_global WHERE status = '" status                    \
  "' AND next_cron_time <= now() ORDER BY next_cron_time LIMIT $1::bigint" \
  " FOR UPDATE SKIP LOCKED)"
inline constexpr PgStatement claim_due{
    "concerto_claim_due",
    "WITH s AS MATERIALIZED " CONCERTO_PG_DUE("submitted")
    ", a AS MATERIALIZED " CONCERTO_PG_DUE("aborting")
    ", p AS MATERIALIZED " CONCERTO_PG_DUE("prepared")
    ", g AS MATERIALIZED (SELECT * FROM (SELECT * FROM s UNION ALL SELECT * FROM a"
    " UNION ALL SELECT * FROM p) AS e ORDER BY next_cron_time LIMIT $1::bigint),"
    " mine AS (UPDATE trans_global t SET owner = $2::text,"
    " next_cron_time = now() + $3::bigint * interval '1 second' FROM g WHERE t.id = g.id)"
    " SELECT " CONCERTO_PG_TRANS_COLUMNS ", true FROM g ORDER BY g.next_cron_time"};

inline constexpr PgStatement renew{
    "concerto_renew",
    "UPDATE trans_global SET next_cron_time = now() + $3::bigint * interval '1 second'"
    " WHERE gid = ANY($1::text[]) AND " CONCERTO_PG_IS_HELD_BY("$2") " RETURNING gid"};

inline constexpr PgStatement let_go{
    "concerto_let_go",
    "UPDATE trans_global SET owner = 'cc-rest', next_cron_time = $3::timestamptz"
    " WHERE gid = $1::text AND " CONCERTO_PG_IS_HELD_BY("$2")};

#define CONCERTO_PG_RESTING(status)                                                \
  "(SELECT gid, next_cron_time FROM trans_global WHERE status = '" status          \
  "' AND next_cron_time > now() + $1::bigint * interval '1 second'"                \
  " AND (update_time <= $2::timestamptz OR update_time IS NULL)"                   \
  " AND (owner = 'cc-rest' OR owner NOT LIKE 'cc-%') ORDER BY next_cron_time DESC" \
  " LIMIT $3::bigint)"
inline constexpr PgStatement resting{
    "concerto_resting",
    "SELECT r.gid FROM (" CONCERTO_PG_RESTING("submitted") " UNION ALL " CONCERTO_PG_RESTING(
        "aborting") " UNION ALL " CONCERTO_PG_RESTING("prepared")
    ") AS r ORDER BY r.next_cron_time DESC LIMIT $3::bigint"};

inline constexpr PgStatement backlog{
    "concerto_backlog",
    "SELECT trans_type, count(*), min(create_time) FROM (SELECT trans_type, create_time"
    " FROM trans_global WHERE status IN " CONCERTO_PG_UNFINISHED
    " LIMIT $1::bigint) AS u GROUP BY trans_type"};

inline constexpr PgStatement scan{
    "concerto_scan", "SELECT " CONCERTO_PG_TRANS_COLUMNS
                     ", false FROM trans_global g WHERE g.status IN " CONCERTO_PG_UNFINISHED
                     " AND g.id >= $1::bigint ORDER BY g.id LIMIT $2::bigint"};

#define CONCERTO_PG_LISTED                                             \
  " AND ($3::text IS NULL OR g.trans_type = $3::text)"                 \
  " AND ($4::timestamptz IS NULL OR g.create_time >= $4::timestamptz)" \
  " AND ($5::timestamptz IS NULL OR g.create_time <= $5::timestamptz)" \
  " ORDER BY g.id DESC LIMIT $6::bigint"
// Reads at most 20,000 rows, from the newest below $1: only a part of the table, so that a
// statement ends soon when few rows are what is asked for.
#define CONCERTO_PG_LIST_WINDOW " WHERE id < $1::bigint ORDER BY id DESC LIMIT 20000) "
inline constexpr PgStatement list{
    "concerto_list",
    "SELECT " CONCERTO_PG_TRANS_COLUMNS
    ", false FROM (SELECT * FROM trans_global" CONCERTO_PG_LIST_WINDOW
    "AS g WHERE (cardinality($2::text[]) = 0 OR g.status = ANY($2::text[]))" CONCERTO_PG_LISTED};
// Where the next part ends.
inline constexpr PgStatement list_end{
    "concerto_list_end",
    "SELECT min(w.id) FROM (SELECT id FROM trans_global" CONCERTO_PG_LIST_WINDOW "AS w"};

// Statuses that few rows have: the others are not looked at.
inline constexpr PgStatement count_rare{
    "concerto_count_rare",
    "SELECT count(*) FROM (SELECT 1 FROM trans_global WHERE status = ANY($1::text[])"
    " LIMIT $2::bigint + 1) AS r"};
inline constexpr PgStatement list_rare{
    "concerto_list_rare",
    "WITH r AS MATERIALIZED (SELECT id FROM trans_global WHERE status = ANY($2::text[]))"
    " SELECT " CONCERTO_PG_TRANS_COLUMNS
    ", false FROM trans_global g WHERE g.id = ANY(ARRAY(SELECT r.id FROM r))"
    " AND g.id < $1::bigint" CONCERTO_PG_LISTED};

inline constexpr PgStatement find_kv{
    "concerto_find_kv",
    "SELECT cat, k, v, version, create_time, update_time FROM kv"
    " WHERE ($1::text = '' OR cat = $1::text) AND ($2::text = '' OR k = $2::text)"
    " AND ($3::text = '' OR k COLLATE \"C\" > $3::text)"
    " ORDER BY cat COLLATE \"C\", k COLLATE \"C\" LIMIT $4::bigint"};
inline constexpr PgStatement create_kv{
    "concerto_create_kv",
    "INSERT INTO kv (cat, k, v, version, create_time, update_time)"
    " VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::timestamptz, $6::timestamptz)"
    " ON CONFLICT (cat, k) DO NOTHING"};
inline constexpr PgStatement update_kv{
    "concerto_update_kv",
    "UPDATE kv SET v = $3::text, version = version + 1, update_time = $5::timestamptz"
    " WHERE cat = $1::text AND k = $2::text AND version = $4::bigint"};
inline constexpr PgStatement delete_kv{"concerto_delete_kv",
                                       "DELETE FROM kv WHERE cat = $1::text AND k = $2::text"};

// next_cron_time, by which the index finds old rows, is near the time at which a row finished.
inline constexpr PgStatement delete_finished{
    "concerto_delete_finished",
    "WITH d AS (DELETE FROM trans_global WHERE id IN (SELECT id FROM trans_global"
    " WHERE status = $1::text AND next_cron_time < $2::timestamptz"
    " AND coalesce(finish_time, rollback_time, update_time) < $2::timestamptz"
    " ORDER BY next_cron_time LIMIT $3::bigint FOR UPDATE SKIP LOCKED) RETURNING gid),"
    " b AS (DELETE FROM trans_branch_op WHERE gid = ANY(ARRAY(SELECT gid FROM d)))"
    " SELECT count(*) FROM d"};

// Writes something, so that its commit waits for the standbys, as far as commits wait for them.
inline constexpr PgStatement await_standbys{"concerto_await_standbys",
                                            "SELECT pg_logical_emit_message(true, 'concerto', '')"};

inline constexpr PgStatement end_backend{"concerto_end_backend",
                                         "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                         " WHERE pid = $1::bigint AND application_name = $2::text"};

// Until the backend that was told to end has ended.
inline constexpr PgStatement pause{"concerto_pause", "SELECT pg_sleep(0.02)::text"};

inline constexpr PgStatement columns{
    "concerto_columns",
    "SELECT table_name::text, column_name::text FROM information_schema.columns"
    " WHERE table_schema = current_schema()"
    " AND table_name IN ('trans_global', 'trans_branch_op', 'kv')"};

}  // namespace concerto::persist::pg
