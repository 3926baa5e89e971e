#include <utility>

#include "mysql_connection.hpp"

/// The records of the coordinators' time zones: rows of kv in a category of their own. The value is
/// three words, of which the second is the database's clock at the last renewal:
///
///   seconds east of UTC, as NOW() is in this session; Unix time; host
namespace concerto::persist {
namespace mysql {
namespace {

MysqlText& record_value(MysqlText& text, const std::string& host) {
  text.sql("CONCAT_WS(' ', TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW()), UNIX_TIMESTAMP(), ");
  return text.text(host).sql(")");
}

MysqlText& where_node(MysqlText& text, const std::string& node) {
  return text.sql(" WHERE cat = ").text(zone_category).sql(" AND k = ").text(node);
}

}  // namespace

std::string add_zone(const MysqlTerms& terms, const std::string& host) {
  MysqlText text(terms.zone);
  text.sql("REPLACE INTO kv (cat, k, v, version, create_time, update_time) VALUES (");
  text.text(zone_category).sql(", ").text(terms.node).sql(", ");
  return record_value(text, host).sql(", 1, NOW(), NOW())").take();
}

std::string renew_zone(const MysqlTerms& terms, const std::string& host) {
  MysqlText text(terms.zone);
  text.sql("UPDATE kv SET v = ");
  record_value(text, host).sql(", version = version + 1, update_time = NOW()");
  return where_node(text, terms.node).take();
}

std::string remove_zone(const MysqlTerms& terms) {
  MysqlText text(terms.zone);
  text.sql("DELETE FROM kv");
  return where_node(text, terms.node).take();
}

std::string remove_zones(const MysqlTerms& terms, const std::vector<ZoneRecord>& records) {
  MysqlText text(terms.zone);
  text.sql("DELETE FROM kv WHERE cat = ").text(zone_category).sql(" AND (id, version) IN (");
  text.list(records, [&text](const ZoneRecord& record) {
    text.sql("(").number(record.id).sql(", ").number(record.beats).sql(")");
  });
  return text.sql(")").take();
}

std::string look_at_zones(const MysqlTerms& terms) {
  MysqlText text(terms.zone);
  text.sql("SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(), NOW()), id, k, version,");
  text.sql(" SUBSTRING_INDEX(v, ' ', 1), UNIX_TIMESTAMP() - ");
  text.sql("CAST(SUBSTRING_INDEX(SUBSTRING_INDEX(COALESCE(v, ''), ' ', 2), ' ', -1) AS SIGNED),");
  text.sql(" SUBSTRING_INDEX(v, ' ', -1) FROM (SELECT 1) AS one LEFT JOIN kv ON cat = ");
  return text.text(zone_category).sql(" ORDER BY id LIMIT 1000").take();
}

}  // namespace mysql

Async<ZoneLook> MysqlConnection::look_at_zones() {
  CONCERTO_CO_TRY(MysqlResult result,
                  co_await run_one(mysql::look_at_zones(terms_), MysqlWork::reads));
  ZoneLook look;
  while (result.next()) {
    look.east_of_utc = std::chrono::seconds(result.integer(0));
    if (result.is_null(1)) break;
    ZoneRecord record;
    record.id = result.integer(1);
    record.node = result.string(2);
    record.beats = result.integer(3);
    record.east_of_utc = std::chrono::seconds(result.integer(4));
    record.age = std::chrono::seconds(result.integer(5));
    record.host = result.string(6);
    look.records.push_back(std::move(record));
  }
  co_return look;
}

Async<> MysqlConnection::add_zone(std::string host) {
  CONCERTO_CO_CHECK(co_await run_one(mysql::add_zone(terms_, host), MysqlWork::changes));
  co_return ok();
}

Async<bool> MysqlConnection::renew_zone(std::string host) {
  CONCERTO_CO_TRY(const MysqlResult result,
                  co_await run_one(mysql::renew_zone(terms_, host), MysqlWork::changes));
  co_return result.affected() > 0;
}

Async<> MysqlConnection::remove_zone() {
  CONCERTO_CO_CHECK(co_await run_one(mysql::remove_zone(terms_), MysqlWork::changes));
  co_return ok();
}

Async<> MysqlConnection::remove_zones(std::vector<ZoneRecord> records) {
  CONCERTO_CO_CHECK(co_await run_one(mysql::remove_zones(terms_, records), MysqlWork::changes));
  co_return ok();
}

}  // namespace concerto::persist
