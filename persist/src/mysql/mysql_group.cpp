#include "mysql_group.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "../sql/owner_column.hpp"

namespace concerto::persist::mysql {
namespace {

using Step = GroupText::Step;

/// A longer INSERT gains nothing, and the server's packets have a limit.
constexpr std::size_t insert_bytes_max = std::size_t{256} << 10;

void add(GroupText& group, Step step, std::string statement) {
  group.statements.push_back(std::move(statement));
  group.steps.push_back(step);
}

/// Collects rows of one table into as few INSERT statements as their length allows.
class Inserts {
 public:
  Inserts(const MysqlTerms& terms, Step step, std::string_view head, GroupText& group)
      : step_(step), head_(head), group_(group), text_(terms.zone) {}

  /// The text to write the next row's values to, without their parentheses.
  template <class Write>
  void row(Write write) {
    text_.sql(text_.size() == 0 ? head_ : std::string_view{","}).sql("(");
    write(text_);
    text_.sql(")");
    if (text_.size() >= insert_bytes_max) end();
  }
  void end() {
    if (text_.size() > 0) add(group_, step_, text_.take());
  }

 private:
  const Step step_;
  const std::string_view head_;
  GroupText& group_;
  MysqlText text_;
};

constexpr std::string_view insert_trans =
    "INSERT INTO trans_global (gid, trans_type, status, query_prepared, protocol, create_time, "
    "update_time, finish_time, rollback_time, options, custom_data, next_cron_interval, "
    "next_cron_time, owner, ext_data, result, rollback_reason) VALUES ";
constexpr std::string_view insert_branches =
    "INSERT INTO trans_branch_op (gid, branch_id, op, url, bin_data, status, create_time, "
    "update_time, finish_time) VALUES ";

void write_trans(MysqlText& text, const TransRow& row, const MysqlTerms& terms) {
  const auto status = trans_status_from(row.status);
  const bool has_lease = row.owner != rest_mark && !(status && is_final(*status));
  text.text(row.gid).sql(",").text(row.trans_type).sql(",").text(row.status).sql(",");
  text.text(row.query_prepared).sql(",").text(row.protocol).sql(",").time(row.create_time);
  text.sql(",").time(row.update_time).sql(",").time(row.finish_time).sql(",");
  text.time(row.rollback_time).sql(",").text(row.options).sql(",").text(row.custom_data).sql(",");
  text.number(row.next_cron_interval).sql(",");
  if (has_lease) {
    text.sql("NOW() + INTERVAL ").number(terms.lease.in_row.count()).sql(" SECOND");
  } else {
    text.time(row.next_cron_time);
  }
  text.sql(",").text(row.owner).sql(",'',").text(row.result).sql(",").text(row.rollback_reason);
}

void write_branch(MysqlText& text, const std::string& gid, const BranchRow& row) {
  text.text(gid).sql(",").text(row.branch_id).sql(",").text(row.op).sql(",").text(row.url);
  text.sql(",").bytes(row.bin_data).sql(",").text(row.status).sql(",").time(row.create_time);
  text.sql(",").time(row.update_time).sql(",").time(row.finish_time);
}

/// What an UPDATE of trans_global sets, up to the list of its gids.
std::string update_head(const UpdateRows& update, const MysqlTerms& terms) {
  MysqlText text(terms.zone);
  text.sql("UPDATE trans_global FORCE INDEX (gid) SET update_time = ").time(update.update_time);
  const auto set_text = [&text](std::string_view column, const std::optional<std::string>& value) {
    if (value) text.sql(", ").sql(column).sql(" = ").text(*value);
  };
  const auto set_time = [&text](std::string_view column, const std::optional<RowTime>& value) {
    if (value) text.sql(", ").sql(column).sql(" = ").time(*value);
  };
  if (update.status) text.sql(", status = ").text(to_string(*update.status));
  set_time("finish_time", update.finish_time);
  set_time("rollback_time", update.rollback_time);
  set_text("rollback_reason", update.rollback_reason);
  set_text("result", update.result);
  set_text("custom_data", update.custom_data);
  set_text("options", update.options);
  if (update.next_cron_interval) {
    text.sql(", next_cron_interval = ").number(*update.next_cron_interval);
  }
  if (update.hold == Hold::renews) {
    // A lease of which much is left stays: its end is part of an index.
    const auto enough = terms.lease.in_row - terms.lease.slack;
    text.sql(", next_cron_time = IF(next_cron_time >= NOW() + INTERVAL ").number(enough.count());
    text.sql(" SECOND, next_cron_time, NOW() + INTERVAL ").number(terms.lease.in_row.count());
    text.sql(" SECOND)");
  } else {
    set_time("next_cron_time", update.next_cron_time);
    if (update.hold == Hold::rests) text.sql(", owner = ").text(rest_mark);
  }
  text.sql(" WHERE status = ").text(to_string(update.expected));
  if (!is_final(update.expected)) text.sql(" AND owner = ").text(terms.node);
  return text.sql(" AND gid IN (").take();
}

std::string change_head(const BranchRowChange& change, const MysqlTerms& terms) {
  MysqlText text(terms.zone);
  text.sql("UPDATE trans_branch_op FORCE INDEX (gid_uniq) SET status = ").text(change.status);
  text.sql(", update_time = ").time(change.update_time);
  if (change.finish_time) text.sql(", finish_time = ").time(*change.finish_time);
  if (change.url) text.sql(", url = ").text(*change.url);
  if (change.bin_data) text.sql(", bin_data = ").bytes(*change.bin_data);
  // MariaDB reads the whole table for (gid, branch_id, op) IN (...) with one element.
  text.sql(" WHERE branch_id = ").text(change.branch_id).sql(" AND op = ").text(change.op);
  return text.sql(" AND gid IN (").take();
}

/// Lists by what stands before them, in the order in which they were first needed.
class Lists {
 public:
  struct List {
    std::string text;
    std::size_t count = 0;
  };

  List& with(std::string head) {
    const auto [found, is_new] = places_.try_emplace(head, lists_.size());
    if (is_new) lists_.push_back({std::move(head), 0});
    List& list = lists_[found->second];
    if (list.count++ > 0) list.text += ',';
    return list;
  }
  std::vector<List> take() { return std::move(lists_); }

 private:
  std::map<std::string, std::size_t> places_;
  std::vector<List> lists_;
};

void add_updates(const MysqlTerms& terms, const RowGroup& group, bool checks, GroupText& text) {
  Lists rows, branches;
  for (const UpdateRows* update : group.updates) {
    MysqlText gid(terms.zone);
    gid.text(update->gid);
    const std::string literal = gid.take();
    rows.with(update_head(*update, terms)).text += literal;
    for (const BranchRowChange& change : update->branch_changes) {
      branches.with(change_head(change, terms)).text += literal;
    }
  }
  for (Lists::List& list : rows.take()) {
    add(text, Step::changes, std::move(list.text) + ")");
    if (!checks) continue;
    // A number that no DOUBLE can hold is an error, and it ends the packet.
    add(text, Step::checks,
        "SET @cc_check = EXP(710 * (ROW_COUNT() <> " + std::to_string(list.count) + "))");
  }
  for (Lists::List& list : branches.take()) {
    add(text, Step::changes, std::move(list.text) + ")");
  }
}

}  // namespace

GroupText group_text(const MysqlTerms& terms, const RowGroup& group, Preconditions preconditions) {
  const bool checks = preconditions == Preconditions::to_check;
  GroupText text;
  if (checks) add(text, Step::frame, std::string(terms.dialect.begin()));
  Inserts rows(terms, Step::adds_trans, insert_trans, text);
  for (const CreateRows* created : group.creates) {
    rows.row([&](MysqlText& values) { write_trans(values, created->trans, terms); });
  }
  rows.end();
  add_updates(terms, group, checks, text);
  Inserts branches(terms, Step::adds_branches, insert_branches, text);
  const auto add_branches = [&branches](const std::string& gid, const auto& added) {
    for (const BranchRow& row : added) {
      branches.row([&](MysqlText& values) { write_branch(values, gid, row); });
    }
  };
  for (const CreateRows* created : group.creates) {
    add_branches(created->trans.gid, created->branches);
  }
  for (const UpdateRows* update : group.updates) add_branches(update->gid, update->new_branches);
  branches.end();
  add(text, Step::frame, "COMMIT");
  return text;
}

Statements lock_group(const MysqlTerms& terms, const RowGroup& group) {
  std::vector<std::string_view> gids;
  for (const CreateRows* created : group.creates) gids.push_back(created->trans.gid);
  for (const UpdateRows* update : group.updates) gids.push_back(update->gid);
  std::ranges::sort(gids);
  MysqlText text(terms.zone);
  text.sql("SELECT gid, status, owner FROM trans_global FORCE INDEX (gid) WHERE gid IN (");
  text.texts(gids).sql(") ORDER BY gid FOR UPDATE");
  return {std::string(terms.dialect.begin()), text.take()};
}

}  // namespace concerto::persist::mysql
