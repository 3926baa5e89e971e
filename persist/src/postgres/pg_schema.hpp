#pragma once

#include <array>
#include <string_view>

namespace concerto::persist {

/// The columns that this version uses of a table.
struct PgTable {
  std::string_view name;
  std::string_view columns;  ///< separated by commas
};

inline constexpr std::array<PgTable, 3> pg_tables = {{
    {"trans_global",
     "id,gid,trans_type,status,query_prepared,protocol,create_time,update_time,finish_time,"
     "rollback_time,options,custom_data,next_cron_interval,next_cron_time,owner,ext_data,result,"
     "rollback_reason"},
    {"trans_branch_op",
     "id,gid,url,data,bin_data,branch_id,op,status,finish_time,rollback_time,create_time,"
     "update_time"},
    {"kv", "id,cat,k,v,version,create_time,update_time"},
}};

/// The reference's tables (protocol page 07, section 2.2), in the schema of the search path.
inline constexpr const char* pg_create_schema = R"(
CREATE SEQUENCE IF NOT EXISTS trans_global_seq;
CREATE TABLE IF NOT EXISTS trans_global (
  id bigint NOT NULL DEFAULT nextval('trans_global_seq'),
  gid varchar(128) NOT NULL,
  trans_type varchar(45) NOT NULL,
  status varchar(45) NOT NULL,
  query_prepared varchar(1024) NOT NULL,
  protocol varchar(45) NOT NULL,
  create_time timestamp(0) with time zone DEFAULT NULL,
  update_time timestamp(0) with time zone DEFAULT NULL,
  finish_time timestamp(0) with time zone DEFAULT NULL,
  rollback_time timestamp(0) with time zone DEFAULT NULL,
  options varchar(1024) DEFAULT '',
  custom_data varchar(1024) DEFAULT '',
  next_cron_interval int DEFAULT NULL,
  next_cron_time timestamp(0) with time zone DEFAULT NULL,
  owner varchar(128) NOT NULL DEFAULT '',
  ext_data text,
  result varchar(1024) DEFAULT '',
  rollback_reason varchar(1024) DEFAULT '',
  PRIMARY KEY (id),
  CONSTRAINT gid UNIQUE (gid)
);
CREATE INDEX IF NOT EXISTS owner ON trans_global (owner);
CREATE INDEX IF NOT EXISTS status_next_cron_time ON trans_global (status, next_cron_time);
CREATE SEQUENCE IF NOT EXISTS trans_branch_op_seq;
CREATE TABLE IF NOT EXISTS trans_branch_op (
  id bigint NOT NULL DEFAULT nextval('trans_branch_op_seq'),
  gid varchar(128) NOT NULL,
  url varchar(1024) NOT NULL,
  data text,
  bin_data bytea,
  branch_id varchar(128) NOT NULL,
  op varchar(45) NOT NULL,
  status varchar(45) NOT NULL,
  finish_time timestamp(0) with time zone DEFAULT NULL,
  rollback_time timestamp(0) with time zone DEFAULT NULL,
  create_time timestamp(0) with time zone DEFAULT NULL,
  update_time timestamp(0) with time zone DEFAULT NULL,
  PRIMARY KEY (id),
  CONSTRAINT gid_branch_uniq UNIQUE (gid, branch_id, op)
);
CREATE SEQUENCE IF NOT EXISTS kv_seq;
CREATE TABLE IF NOT EXISTS kv (
  id bigint NOT NULL DEFAULT nextval('kv_seq'),
  cat varchar(45) NOT NULL,
  k varchar(128) NOT NULL,
  v text,
  version bigint DEFAULT 1,
  create_time timestamp(0) with time zone DEFAULT NULL,
  update_time timestamp(0) with time zone DEFAULT NULL,
  PRIMARY KEY (id),
  CONSTRAINT uniq_k UNIQUE (cat, k)
);
)";

inline constexpr const char* pg_drop_schema = R"(
DROP TABLE IF EXISTS trans_global;
DROP TABLE IF EXISTS trans_branch_op;
DROP TABLE IF EXISTS kv;
DROP SEQUENCE IF EXISTS trans_global_seq;
DROP SEQUENCE IF EXISTS trans_branch_op_seq;
DROP SEQUENCE IF EXISTS kv_seq;
)";

}  // namespace concerto::persist
