-- PostgreSQL. The barrier table is DTM's own, where its SDK looks for it.
create table stock(
  product_id varchar(40) primary key,
  quantity int not null
);
create table movements(
  id bigserial primary key,
  gid varchar(128) not null,
  product_id varchar(40) not null,
  change int not null,
  quantity_left int not null
);
create schema dtm_barrier;
create sequence dtm_barrier.barrier_seq;
create table dtm_barrier.barrier(
  id bigint not null default nextval('dtm_barrier.barrier_seq'),
  trans_type varchar(45) default '',
  gid varchar(128) default '',
  branch_id varchar(128) default '',
  op varchar(45) default '',
  barrier_id varchar(45) default '',
  reason varchar(45) default '',
  create_time timestamp(0) with time zone default null,
  update_time timestamp(0) with time zone default null,
  primary key(id),
  constraint uniq_barrier unique(gid, branch_id, op, barrier_id)
);
