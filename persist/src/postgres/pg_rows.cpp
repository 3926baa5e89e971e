#include "pg_rows.hpp"

#include <algorithm>
#include <utility>

#include "../sql/owner_column.hpp"
#include "pg_statements.hpp"

namespace concerto::persist {
namespace {

using Type = PgArray::Type;

std::string_view status_text(const std::optional<TransStatus>& status) {
  return status ? to_string(*status) : std::string_view{};
}

bool has_edits(const UpdateRows* update) noexcept {
  return std::ranges::any_of(update->branch_changes, [](const BranchRowChange& change) {
    return change.url.has_value() || change.bin_data.has_value();
  });
}

/// The nine arrays of new branch rows.
class BranchArrays {
 public:
  void add(const std::string& gid, const BranchRow& row) {
    gid_.text(gid);
    branch_id_.text(row.branch_id);
    op_.text(row.op);
    url_.text(row.url);
    bin_data_.text(row.bin_data);
    status_.text(row.status);
    create_time_.timestamp_or_null(row.create_time);
    update_time_.timestamp_or_null(row.update_time);
    finish_time_.timestamp_or_null(row.finish_time);
  }
  void move_to(PgParams& params) {
    for (PgArray* array : {&gid_, &branch_id_, &op_, &url_, &bin_data_, &status_, &create_time_,
                           &update_time_, &finish_time_}) {
      params.value(array->take());
    }
  }

 private:
  PgArray gid_{Type::text}, branch_id_{Type::text}, op_{Type::text}, url_{Type::text};
  PgArray bin_data_{Type::bytea}, status_{Type::text};
  PgArray create_time_{Type::timestamptz}, update_time_{Type::timestamptz};
  PgArray finish_time_{Type::timestamptz};
};

}  // namespace

BranchRow branch_of(const PgResult& result, int row, int column) {
  BranchRow branch;
  branch.branch_id = result.string(row, column);
  branch.op = result.string(row, column + 1);
  branch.url = result.string(row, column + 2);
  branch.bin_data = result.string(row, column + 3);
  branch.status = result.string(row, column + 4);
  branch.create_time = result.time(row, column + 5);
  branch.update_time = result.time(row, column + 6);
  branch.finish_time = result.time(row, column + 7);
  return branch;
}

StoredTrans stored_trans_of(const PgResult& result, int row) {
  StoredTrans stored;
  TransRow& trans = stored.row;
  trans.id = result.integer(row, 0);
  trans.gid = result.string(row, 1);
  trans.trans_type = result.string(row, 2);
  trans.status = result.string(row, 3);
  trans.query_prepared = result.string(row, 4);
  trans.protocol = result.string(row, 5);
  trans.create_time = result.time(row, 6);
  trans.update_time = result.time(row, 7);
  trans.finish_time = result.time(row, 8);
  trans.rollback_time = result.time(row, 9);
  trans.options = result.string(row, 10);
  trans.custom_data = result.string(row, 11);
  trans.next_cron_interval = result.integer(row, 12);
  trans.next_cron_time = result.time(row, 13);
  trans.owner = result.string(row, 14);
  trans.ext_data = result.string(row, 15);
  trans.result = result.string(row, 16);
  trans.rollback_reason = result.string(row, 17);
  stored.is_due = result.boolean(row, pg_trans_columns);
  stored.was_claimed = result.boolean(row, pg_trans_columns + 1);
  return stored;
}

std::vector<StoredTrans> joined_rows_of(const PgResult& result) {
  constexpr int first_branch_column = pg_trans_columns + 2;
  std::vector<StoredTrans> transactions;
  for (int row = 0; row < result.rows(); ++row) {
    if (transactions.empty() || transactions.back().row.id != result.integer(row, 0)) {
      transactions.push_back(stored_trans_of(result, row));
    }
    if (result.is_null(row, first_branch_column)) continue;
    transactions.back().branches.push_back(branch_of(result, row, first_branch_column));
  }
  return transactions;
}

std::vector<StoredTrans> rows_without_branches_of(const PgResult& result) {
  std::vector<StoredTrans> transactions;
  transactions.reserve(static_cast<std::size_t>(result.rows()));
  for (int row = 0; row < result.rows(); ++row) {
    transactions.push_back(stored_trans_of(result, row));
  }
  return transactions;
}

std::vector<std::string> first_column_of(const PgResult& result) {
  std::vector<std::string> texts;
  for (int row = 0; row < result.rows(); ++row) texts.push_back(result.string(row, 0));
  return texts;
}

PgParams create_params(const std::vector<CreateRows*>& creates, std::int64_t lease_s) {
  PgArray gid(Type::text), type(Type::text), status(Type::text), query(Type::text);
  PgArray protocol(Type::text), create(Type::timestamptz), update(Type::timestamptz);
  PgArray finish(Type::timestamptz), rollback(Type::timestamptz), options(Type::text);
  PgArray custom(Type::text), interval(Type::int8), next(Type::timestamptz), leased(Type::boolean);
  PgArray owner(Type::text), result(Type::text), reason(Type::text);
  BranchArrays branches;
  for (const CreateRows* created : creates) {
    const TransRow& row = created->trans;
    gid.text(row.gid);
    type.text(row.trans_type);
    status.text(row.status);
    query.text(row.query_prepared);
    protocol.text(row.protocol);
    create.timestamp_or_null(row.create_time);
    update.timestamp_or_null(row.update_time);
    finish.timestamp_or_null(row.finish_time);
    rollback.timestamp_or_null(row.rollback_time);
    options.text(row.options);
    custom.text(row.custom_data);
    interval.int8(row.next_cron_interval);
    next.timestamp_or_null(row.next_cron_time);
    const auto known = trans_status_from(row.status);
    leased.boolean(row.owner != rest_mark && !(known && is_final(*known)));
    owner.text(row.owner);
    result.text(row.result);
    reason.text(row.rollback_reason);
    for (const BranchRow& branch : created->branches) branches.add(row.gid, branch);
  }
  PgParams params;
  for (PgArray* array :
       {&gid, &type, &status, &query, &protocol, &create, &update, &finish, &rollback, &options,
        &custom, &interval, &next, &leased, &owner, &result}) {
    params.value(array->take());
  }
  params.int8(lease_s);
  params.value(reason.take());
  branches.move_to(params);
  return params;
}

const PgStatement& update_statement(const std::vector<UpdateRows*>& updates) noexcept {
  return std::ranges::any_of(updates, has_edits) ? pg::update_edited : pg::update;
}

PgParams update_params(const std::vector<UpdateRows*>& updates, const std::string& node,
                       std::int64_t renew_below_s, std::int64_t lease_s) {
  PgArray gid(Type::text), expected(Type::text), update(Type::timestamptz), status(Type::text);
  PgArray finish(Type::timestamptz), rollback(Type::timestamptz), reason(Type::text);
  PgArray result(Type::text), custom(Type::text), options(Type::text), interval(Type::int8);
  PgArray next(Type::timestamptz), hold(Type::int8);
  PgArray changed_gid(Type::text), changed_id(Type::text), changed_op(Type::text);
  PgArray changed_status(Type::text), changed_at(Type::timestamptz);
  PgArray changed_finish(Type::timestamptz), changed_url(Type::text), changed_data(Type::bytea);
  BranchArrays branches;
  const bool edits = &update_statement(updates) == &pg::update_edited;
  for (const UpdateRows* change : updates) {
    gid.text(change->gid);
    expected.text(to_string(change->expected));
    update.timestamp_or_null(change->update_time);
    change->status ? status.text(status_text(change->status)) : status.null();
    finish.timestamp_or_null(change->finish_time);
    rollback.timestamp_or_null(change->rollback_time);
    reason.text_or_null(change->rollback_reason);
    result.text_or_null(change->result);
    custom.text_or_null(change->custom_data);
    options.text_or_null(change->options);
    interval.int8_or_null(change->next_cron_interval);
    next.timestamp_or_null(change->next_cron_time);
    hold.int8(static_cast<std::int64_t>(change->hold));
    for (const BranchRowChange& branch : change->branch_changes) {
      changed_gid.text(change->gid);
      changed_id.text(branch.branch_id);
      changed_op.text(branch.op);
      changed_status.text(branch.status);
      changed_at.timestamp_or_null(branch.update_time);
      changed_finish.timestamp_or_null(branch.finish_time);
      if (!edits) continue;
      changed_url.text_or_null(branch.url);
      changed_data.text_or_null(branch.bin_data);
    }
    for (const BranchRow& branch : change->new_branches) branches.add(change->gid, branch);
  }
  PgParams params;
  for (PgArray* array : {&gid, &expected, &update, &status, &finish, &rollback, &reason, &result,
                         &custom, &options, &interval, &next, &hold}) {
    params.value(array->take());
  }
  params.text(node);
  params.int8(renew_below_s);
  params.int8(lease_s);
  for (PgArray* array :
       {&changed_gid, &changed_id, &changed_op, &changed_status, &changed_at, &changed_finish}) {
    params.value(array->take());
  }
  branches.move_to(params);
  if (!edits) return params;
  params.value(changed_url.take());
  params.value(changed_data.take());
  return params;
}

}  // namespace concerto::persist
