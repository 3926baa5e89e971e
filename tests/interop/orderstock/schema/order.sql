-- MariaDB. The barrier table is DTM's own, where its SDK looks for it.
create table orders(
  order_id varchar(128) primary key,
  product_id varchar(40) not null,
  quantity int not null,
  status varchar(10) not null
);
create database dtm_barrier;
create table dtm_barrier.barrier(
  id bigint primary key auto_increment,
  trans_type varchar(45) default '',
  gid varchar(128) default '',
  branch_id varchar(128) default '',
  op varchar(45) default '',
  barrier_id varchar(45) default '',
  reason varchar(45) default '' comment 'the op that inserted this row',
  create_time datetime default now(),
  update_time datetime default now(),
  key(create_time),
  key(update_time),
  unique key(gid, branch_id, op, barrier_id)
);
