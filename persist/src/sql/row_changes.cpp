#include "row_changes.hpp"

#include <algorithm>
#include <utility>

#include "../preconditions.hpp"
#include "options_json.hpp"
#include "owner_column.hpp"
#include "row_mapping.hpp"

namespace concerto::persist {
namespace {

std::optional<RowTime> time_of(const RowClock& clock, const std::optional<WallTime>& time) {
  if (!time || *time == WallTime{}) return std::nullopt;
  return clock.to_row(*time);
}

Result<> check_width(std::string_view field, std::string_view text, std::size_t chars_max) {
  if (fits_column(text, chars_max)) return ok();
  return make_error(Errc::invalid_request,
                    std::string(field) + " has to be UTF-8 without the character 0, of at most " +
                        std::to_string(chars_max) + " characters in this store");
}

BranchRow row_of(const Branch& branch, std::string_view payload, const RowClock& clock) {
  BranchRow row;
  row.branch_id = branch.branch_id.str();
  row.op = branch.op;
  row.url = branch.url;
  row.bin_data = payload;
  row.status = to_string(branch.status);
  row.create_time = time_of(clock, branch.create_time);
  row.update_time = time_of(clock, branch.update_time);
  row.finish_time = time_of(clock, branch.finish_time);
  return row;
}

Result<> check_payload(std::string_view branch_id, std::string_view op, std::string_view payload,
                       const RowLimits& limits) {
  if (payload.size() <= limits.payload_bytes_max) return ok();
  return make_error(Errc::invalid_request, "the payload of branch '" + std::string(branch_id) +
                                               "', op '" + std::string(op) + "', has " +
                                               std::to_string(payload.size()) +
                                               " bytes, and the column bin_data of this store "
                                               "holds " +
                                               std::to_string(limits.payload_bytes_max));
}

Result<> check(const BranchRow& row, const RowLimits& limits) {
  CONCERTO_CHECK(check_width("branch_id", row.branch_id, id_chars_max));
  CONCERTO_CHECK(check_width("op", row.op, name_chars_max));
  CONCERTO_CHECK(check_width("url", row.url, text_chars_max));
  return check_payload(row.branch_id, row.op, row.bin_data, limits);
}

void set_values(BranchRow& row, const BranchRowChange& change) {
  row.status = change.status;
  row.update_time = change.update_time;
  if (change.finish_time) row.finish_time = change.finish_time;
  if (change.url) row.url = *change.url;
  if (change.bin_data) row.bin_data = *change.bin_data;
}

bool has_key(const BranchRow& row, const BranchRowChange& change) noexcept {
  return row.branch_id == change.branch_id && row.op == change.op;
}

/// Adds the change of a row; a row that is new itself begins with the values of the change.
void add_change(UpdateRows& rows, BranchRowChange change) {
  for (BranchRow& row : rows.new_branches) {
    if (has_key(row, change)) return set_values(row, change);
  }
  for (BranchRowChange& known : rows.branch_changes) {
    if (known.branch_id != change.branch_id || known.op != change.op) continue;
    if (!change.finish_time) change.finish_time = known.finish_time;
    if (!change.url) change.url = std::move(known.url);
    if (!change.bin_data) change.bin_data = std::move(known.bin_data);
    known = std::move(change);
    return;
  }
  rows.branch_changes.push_back(std::move(change));
}

/// An entry of what `known` has and `delta` appends.
template <class T>
const T& entry_at(const std::vector<T>& known, const std::vector<T>& appended, std::size_t index) {
  return index < known.size() ? known[index] : appended[index - known.size()];
}

Result<> add_edits(UpdateRows& rows, const TransDelta& delta, const Transaction& known,
                   const RowClock& clock, const RowLimits& limits) {
  for (const RowEdit& edit : delta.row_edits) {
    const Branch& branch = entry_at(known.branches, delta.new_branches, edit.index);
    BranchRowChange row{branch.branch_id.str(), branch.op, std::string(to_string(branch.status)),
                        clock.to_row(edit.at), std::nullopt};
    row.url = edit.url;
    if (edit.payload) row.bin_data = entry_at(known.payloads, delta.new_payloads, *edit.payload);
    CONCERTO_CHECK(check_width("url", row.url.value_or(""), text_chars_max));
    CONCERTO_CHECK(check_payload(row.branch_id, row.op, row.bin_data.value_or(""), limits));
    add_change(rows, std::move(row));
  }
  return ok();
}

Result<> add_branches(UpdateRows& rows, const TransDelta& delta, const Transaction& known,
                      const RowClock& clock, const RowLimits& limits) {
  for (const Branch& branch : delta.new_branches) {
    const std::string& payload = entry_at(known.payloads, delta.new_payloads, branch.payload);
    rows.new_branches.push_back(row_of(branch, payload, clock));
    CONCERTO_CHECK(check(rows.new_branches.back(), limits));
  }
  CONCERTO_CHECK(add_edits(rows, delta, known, clock, limits));
  for (const BranchChange& change : delta.branch_changes) {
    const Branch& branch = entry_at(known.branches, delta.new_branches, change.index);
    const RowTime at = clock.to_row(change.at);
    BranchRowChange row{branch.branch_id.str(), branch.op, std::string(to_string(change.status)),
                        at, std::nullopt};
    if (change.status != BranchStatus::prepared) row.finish_time = at;
    add_change(rows, std::move(row));
  }
  return ok();
}

Result<> check_texts(const UpdateRows& rows) {
  CONCERTO_CHECK(check_width("result", rows.result.value_or(""), text_chars_max));
  CONCERTO_CHECK(check_width("custom_data", rows.custom_data.value_or(""), text_chars_max));
  return check_width("the options' JSON", rows.options.value_or(""), text_chars_max);
}

void set_hold(UpdateRows& rows, const UpdateTrans& update, const RowClock& clock) {
  const bool finished = is_final(rows.status.value_or(update.expected));
  const auto& schedule = update.delta.schedule;
  if (schedule) rows.next_cron_interval = schedule->interval.count();
  if (finished) {
    rows.hold = Hold::leaves;
    if (schedule) rows.next_cron_time = clock.to_row_not_earlier(schedule->time);
  } else if (update.rests_until) {
    rows.hold = Hold::rests;
    rows.next_cron_time = clock.to_row_not_earlier(*update.rests_until);
  }
}

template <class T>
void take(std::optional<T>& field, const std::optional<T>& later) {
  if (later) field = later;
}

template <class T>
bool has(const T& stored, const std::optional<T>& set) {
  return !set || stored == *set;
}

const BranchRow* find_row(const StoredTrans& stored, std::string_view branch_id,
                          std::string_view op) {
  for (const BranchRow& row : stored.branches) {
    if (row.branch_id == branch_id && row.op == op) return &row;
  }
  return nullptr;
}

}  // namespace

Result<CreateRows> rows_of(const Transaction& trans, const RowClock& clock,
                           std::string_view this_node, const RowLimits& limits) {
  CreateRows rows;
  TransRow& row = rows.trans;
  row.gid = trans.gid.str();
  row.trans_type = trans_type_text(trans.type);
  row.status = to_string(trans.status);
  row.query_prepared = trans.query_prepared;
  row.protocol = to_string(trans.protocol);
  row.create_time = time_of(clock, trans.create_time);
  row.update_time = time_of(clock, trans.update_time);
  row.finish_time = time_of(clock, trans.finish_time);
  row.rollback_time = time_of(clock, trans.rollback_time);
  row.options = options_text({trans.options, trans.retry_count});
  row.custom_data = trans.custom_data;
  row.next_cron_interval = trans.next_cron_interval.count();
  row.next_cron_time = clock.to_row_not_earlier(trans.next_cron_time);
  row.owner = trans.status == TransStatus::prepared ? rest_mark : this_node;
  row.result = trans.result;
  row.rollback_reason = fitting_text(trans.rollback_reason, text_chars_max);
  CONCERTO_CHECK(check_width("gid", row.gid, id_chars_max));
  CONCERTO_CHECK(check_width("query_prepared", row.query_prepared, text_chars_max));
  CONCERTO_CHECK(check_width("custom_data", row.custom_data, text_chars_max));
  CONCERTO_CHECK(check_width("the options' JSON", row.options, text_chars_max));
  CONCERTO_CHECK(check_width("result", row.result, text_chars_max));
  rows.branches.reserve(trans.branches.size());
  for (const Branch& branch : trans.branches) {
    rows.branches.push_back(row_of(branch, trans.payloads.at(branch.payload), clock));
    CONCERTO_CHECK(check(rows.branches.back(), limits));
  }
  return rows;
}

Result<UpdateRows> rows_of(const UpdateTrans& update, const Transaction& known,
                           const RowClock& clock, const RowLimits& limits) {
  const TransDelta& delta = update.delta;
  CONCERTO_CHECK(check_status(update, known.status));
  if (!fits(known, delta)) {
    return make_error(Errc::invalid_request,
                      "a branch or payload of '" + update.gid.str() + "' does not exist");
  }
  CONCERTO_CHECK(check_new_branches(known, delta));
  UpdateRows rows;
  rows.gid = update.gid.str();
  rows.expected = update.expected;
  rows.update_time = clock.to_row(delta.at);
  rows.status = delta.status;
  if (delta.status == TransStatus::succeed) rows.finish_time = rows.update_time;
  if (delta.status == TransStatus::failed) rows.rollback_time = rows.update_time;
  if (delta.rollback_reason) {
    rows.rollback_reason = fitting_text(*delta.rollback_reason, text_chars_max);
  }
  rows.result = delta.result;
  rows.custom_data = delta.custom_data;
  if (delta.options || delta.retry_count) {
    OptionsColumn column;
    column.options = delta.options ? *delta.options : known.options;
    column.retry_count = delta.retry_count.value_or(known.retry_count);
    rows.options = options_text(column);
  }
  CONCERTO_CHECK(check_texts(rows));
  set_hold(rows, update, clock);
  CONCERTO_CHECK(add_branches(rows, delta, known, clock, limits));
  return rows;
}

bool merge(UpdateRows& first, const UpdateRows& later) {
  const TransStatus between = first.status.value_or(first.expected);
  if (first.gid != later.gid || later.expected != between || is_final(between)) return false;
  if (first.hold != Hold::renews) return false;  // the later change will have lost the lease
  for (const BranchRow& row : later.new_branches) {
    const auto same = [&row](const BranchRow& other) {
      return other.branch_id == row.branch_id && other.op == row.op;
    };
    if (std::ranges::any_of(first.new_branches, same)) return false;
  }
  first.update_time = later.update_time;
  take(first.status, later.status);
  take(first.finish_time, later.finish_time);
  take(first.rollback_time, later.rollback_time);
  take(first.rollback_reason, later.rollback_reason);
  take(first.result, later.result);
  take(first.custom_data, later.custom_data);
  take(first.options, later.options);
  take(first.next_cron_interval, later.next_cron_interval);
  first.next_cron_time = later.next_cron_time;
  first.hold = later.hold;
  for (const BranchRowChange& change : later.branch_changes) add_change(first, change);
  first.new_branches.insert(first.new_branches.end(), later.new_branches.begin(),
                            later.new_branches.end());
  return true;
}

bool shows(const StoredTrans& stored, const CreateRows& created) {
  const TransRow& row = stored.row;
  // What rests may have been claimed since, by anybody.
  const bool has_owner = row.owner == created.trans.owner || created.trans.owner == rest_mark;
  return has_owner && row.gid == created.trans.gid &&
         row.create_time == created.trans.create_time &&
         row.trans_type == created.trans.trans_type && row.custom_data == created.trans.custom_data;
}

bool shows(const StoredTrans& stored, const UpdateRows& update, std::string_view this_node) {
  const TransRow& row = stored.row;
  // Nobody claims a row whose status is final.
  const bool has_owner = update.hold == Hold::rests
                             ? row.owner != this_node
                             : row.owner == this_node || is_final(update.expected);
  const TransStatus status = update.status.value_or(update.expected);
  if (!has_owner || row.status != to_string(status) || row.update_time != update.update_time ||
      !has(row.rollback_reason, update.rollback_reason) || !has(row.result, update.result) ||
      !has(row.custom_data, update.custom_data) || !has(row.options, update.options) ||
      !has(row.next_cron_interval, update.next_cron_interval)) {
    return false;
  }
  for (const BranchRowChange& change : update.branch_changes) {
    const BranchRow* branch = find_row(stored, change.branch_id, change.op);
    if (branch == nullptr || branch->status != change.status) return false;
    if (!has(branch->url, change.url) || !has(branch->bin_data, change.bin_data)) return false;
  }
  return std::ranges::all_of(update.new_branches, [&stored](const BranchRow& branch) {
    return find_row(stored, branch.branch_id, branch.op) != nullptr;
  });
}

}  // namespace concerto::persist
