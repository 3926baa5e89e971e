#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace concerto::persist {

/// What this version uses of a table.
struct MysqlTable {
  std::string_view name;
  std::string_view columns;  ///< separated by commas, as the next
  std::string_view keys;
};

inline constexpr std::array<MysqlTable, 3> mysql_tables = {{
    {"trans_global",
     "id,gid,trans_type,status,query_prepared,protocol,create_time,update_time,finish_time,"
     "rollback_time,options,custom_data,next_cron_interval,next_cron_time,owner,ext_data,result,"
     "rollback_reason",
     "PRIMARY,gid,status_next_cron_time"},
    {"trans_branch_op",
     "id,gid,url,data,bin_data,branch_id,op,status,finish_time,rollback_time,create_time,"
     "update_time",
     "PRIMARY,gid_uniq"},
    {"kv", "id,cat,k,v,version,create_time,update_time", "PRIMARY,uniq_k"},
}};

/// The reference's tables (protocol page 07, section 2.1). Texts are compared by their bytes, so
/// that gids that differ in case are different, as they are in the other stores.
inline constexpr std::array<std::string_view, 3> mysql_create_tables = {
    R"(CREATE TABLE IF NOT EXISTS trans_global (
  id bigint(22) NOT NULL AUTO_INCREMENT,
  gid varchar(128) NOT NULL,
  trans_type varchar(45) NOT NULL,
  status varchar(12) NOT NULL,
  query_prepared varchar(1024) NOT NULL,
  protocol varchar(45) NOT NULL,
  create_time datetime DEFAULT NULL,
  update_time datetime DEFAULT NULL,
  finish_time datetime DEFAULT NULL,
  rollback_time datetime DEFAULT NULL,
  options varchar(1024) DEFAULT '',
  custom_data varchar(1024) DEFAULT '',
  next_cron_interval int(11) DEFAULT NULL,
  next_cron_time datetime DEFAULT NULL,
  owner varchar(128) NOT NULL DEFAULT '',
  ext_data TEXT,
  result varchar(1024) DEFAULT '',
  rollback_reason varchar(1024) DEFAULT '',
  PRIMARY KEY (id),
  UNIQUE KEY gid (gid),
  KEY owner (owner),
  KEY status_next_cron_time (status, next_cron_time)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin)",
    R"(CREATE TABLE IF NOT EXISTS trans_branch_op (
  id bigint(22) NOT NULL AUTO_INCREMENT,
  gid varchar(128) NOT NULL,
  url varchar(1024) NOT NULL,
  data TEXT,
  bin_data BLOB,
  branch_id varchar(128) NOT NULL,
  op varchar(45) NOT NULL,
  status varchar(45) NOT NULL,
  finish_time datetime DEFAULT NULL,
  rollback_time datetime DEFAULT NULL,
  create_time datetime DEFAULT NULL,
  update_time datetime DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY gid_uniq (gid, branch_id, op)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin)",
    R"(CREATE TABLE IF NOT EXISTS kv (
  id bigint(22) NOT NULL AUTO_INCREMENT,
  cat varchar(45) NOT NULL,
  k varchar(128) NOT NULL,
  v TEXT,
  version bigint(22) DEFAULT 1,
  create_time datetime DEFAULT NULL,
  update_time datetime DEFAULT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY uniq_k (cat, k)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin)"};

inline constexpr std::string_view mysql_drop_tables =
    "DROP TABLE IF EXISTS trans_global, trans_branch_op, kv";

/// Tables with their columns and types, and with their keys.
inline constexpr std::string_view mysql_columns =
    "SELECT table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = DATABASE() AND table_name IN ('trans_global', 'trans_branch_op', 'kv')"
    " UNION ALL SELECT table_name, CONCAT('key ', index_name), '' FROM"
    " information_schema.statistics WHERE table_schema = DATABASE()"
    " AND table_name IN ('trans_global', 'trans_branch_op', 'kv')";

/// How many bytes a column of a type of information_schema holds. The reference's is a blob; a
/// wider type lets larger payloads in.
constexpr std::size_t bytes_max_of(std::string_view type) noexcept {
  if (type == "longblob") return std::size_t{256} << 20;
  if (type == "mediumblob") return (std::size_t{1} << 24) - 1;
  return (std::size_t{1} << 16) - 1;
}

}  // namespace concerto::persist
