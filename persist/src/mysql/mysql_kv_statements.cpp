#include "mysql_statements.hpp"

namespace concerto::persist::mysql {
namespace {

/// Finds one record. The second comparison is of bytes.
MysqlText& where_key(MysqlText& text, const std::string& cat, const std::string& key) {
  text.sql(" WHERE cat = ").text(cat).sql(" AND k = ").text(key);
  text.sql(" AND CAST(cat AS BINARY) = ").text(cat);
  return text.sql(" AND CAST(k AS BINARY) = ").text(key);
}

}  // namespace

std::string find_kv(const MysqlTerms& terms, const std::string& cat, const std::string& key,
                    const std::string& after, std::size_t limit) {
  MysqlText text(terms.zone);
  text.sql("SELECT cat, k, v, version, create_time, update_time FROM kv WHERE ");
  if (cat.empty()) {
    text.sql("cat <> ").text(zone_category);
  } else {
    text.sql("cat = ").text(cat).sql(" AND CAST(cat AS BINARY) = ").text(cat);
  }
  if (!key.empty()) text.sql(" AND k = ").text(key).sql(" AND CAST(k AS BINARY) = ").text(key);
  if (!after.empty()) text.sql(" AND CAST(k AS BINARY) > ").text(after);
  text.sql(" ORDER BY CAST(cat AS BINARY), CAST(k AS BINARY) LIMIT ");
  return text.number(static_cast<std::int64_t>(limit)).take();
}

std::string create_kv(const MysqlTerms& terms, const KvRow& row) {
  MysqlText text(terms.zone);
  text.sql("INSERT INTO kv (cat, k, v, version, create_time, update_time) VALUES (");
  text.text(row.cat).sql(", ").text(row.key).sql(", ").text(row.value).sql(", ");
  text.number(row.version).sql(", ");
  return text.time(row.create_time).sql(", ").time(row.update_time).sql(")").take();
}

std::string update_kv(const MysqlTerms& terms, const KvRow& row) {
  MysqlText text(terms.zone);
  text.sql("UPDATE kv SET v = ").text(row.value).sql(", version = version + 1, update_time = ");
  text.time(row.update_time);
  return where_key(text, row.cat, row.key).sql(" AND version = ").number(row.version).take();
}

std::string delete_kv(const MysqlTerms& terms, const std::string& cat, const std::string& key) {
  MysqlText text(terms.zone);
  text.sql("DELETE FROM kv");
  return where_key(text, cat, key).take();
}

}  // namespace concerto::persist::mysql
