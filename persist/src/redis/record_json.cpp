#include "record_json.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include <concerto/base/base64.hpp>

#include "../sql/owner_column.hpp"
#include "../sql/row_mapping.hpp"
#include "json_text.hpp"

namespace concerto::persist {
namespace {

using std::chrono::seconds;

/// Writes as many digits as `to` has places for.
void write_digits(std::span<char> to, std::int64_t number) {
  for (auto digit = to.rbegin(); digit != to.rend(); ++digit, number /= 10) {
    *digit = static_cast<char>('0' + number % 10);
  }
}

/// Every change writes several times.
std::string time_text(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  std::string text = "0000-00-00T00:00:00.000000000Z";
  const std::span<char> places{text};
  write_digits(places.subspan(0, 4), static_cast<int>(date.year()));
  write_digits(places.subspan(5, 2), static_cast<unsigned>(date.month()));
  write_digits(places.subspan(8, 2), static_cast<unsigned>(date.day()));
  write_digits(places.subspan(11, 2), clock.hours().count());
  write_digits(places.subspan(14, 2), clock.minutes().count());
  write_digits(places.subspan(17, 2), clock.seconds().count());
  write_digits(places.subspan(20, 9), clock.subseconds().count());
  text.pop_back();
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text += 'Z';
}

void add_time(JsonObject& object, std::string_view name, const std::optional<WallTime>& time) {
  if (time) object.set_text(name, time_text(*time));
}

/// As the reference writes a time of a record's head.
void add_time_or_null(JsonObject& object, std::string_view name,
                      const std::optional<WallTime>& time) {
  if (time) {
    add_time(object, name, time);
  } else {
    object.raw(name, "null");
  }
}

std::string headers_json(const TransOptions& options) {
  JsonObject headers;
  for (const auto& [name, value] : options.branch_headers) headers.set_text(name, value);
  return headers.take();
}

void add_options(JsonObject& object, const TransOptions& options, std::int64_t retry_count) {
  if (options.wait_result) object.set_bool("wait_result", true);
  object.number("timeout_to_fail", options.timeout_to_fail.count());
  object.number("request_timeout", options.request_timeout.count());
  object.number("retry_interval", options.retry_interval.count());
  if (!options.branch_headers.empty()) object.raw("branch_headers", headers_json(options));
  object.set_bool("concurrent", options.concurrent);
  object.number("retry_limit", options.retry_limit);
  object.number("retry_count", retry_count);
}

std::string options_json(const TransOptions& options, std::int64_t retry_count) {
  JsonObject object;
  add_options(object, options, retry_count);
  return object.take();
}

/// The members of `new_options`, and null for those that its options do not have.
void add_changed_options(JsonObject& object, const TransOptions& options) {
  const auto number = [&object](std::string_view name, std::int64_t value) {
    value != 0 ? object.set_number(name, value) : object.raw(name, "null");
  };
  object.raw("wait_result", options.wait_result ? "true" : "null");
  number("timeout_to_fail", options.timeout_to_fail.count());
  number("request_timeout", options.request_timeout.count());
  number("retry_interval", options.retry_interval.count());
  object.raw("branch_headers", options.branch_headers.empty() ? "null" : headers_json(options));
  object.set_bool("concurrent", options.concurrent);
  number("retry_limit", options.retry_limit);
}

/// The members of an object that the members of an end follow.
std::string with_end(JsonObject object, std::string_view end) {
  std::string text = object.take();
  text.back() = ',';
  return text.append(end);
}

/// Without the last change, with which the end of the record begins.
JsonObject own_members(const Transaction& trans) {
  JsonObject own;
  own.set_number("payloads", static_cast<std::int64_t>(trans.payloads.size()));
  add_time(own, "submit_time", trans.submit_time);
  if (trans.waits) own.set_bool("waits", true);
  return own;
}

/// A branch without its payload and the members of its end.
JsonObject branch_object(const Branch& branch, const Gid& gid) {
  JsonObject object;
  object.set_number("id", 0);
  add_time_or_null(object, "create_time", branch.create_time);
  object.text("gid", gid.view());
  object.text("url", branch.url);
  object.text("branch_id", branch.branch_id.view());
  object.text("op", branch.op);
  return object;
}

/// The members that a change sets, with which a branch ends: change_scripts.hpp.
std::string end_of_branch(BranchStatus status, const std::optional<WallTime>& update_time,
                          const std::optional<WallTime>& finish_time) {
  JsonObject object;
  add_time_or_null(object, "update_time", update_time);
  object.text("status", to_string(status));
  add_time(object, "finish_time", finish_time);
  std::string end = object.take();
  end.front() = ' ';
  return end;
}

std::string end_of(const Branch& branch) {
  return end_of_branch(branch.status, branch.update_time, branch.finish_time);
}

/// The members with which a record ends, but for what follows the status: change_scripts.hpp.
std::string end_of_record(std::string_view node, std::int64_t change, WallTime update_time,
                          TransStatus status) {
  JsonObject last_change, object;
  last_change.set_text("node", node);
  last_change.set_number("change", change);
  object.set_text("update_time", time_text(update_time));
  object.set_text("status", to_string(status));
  std::string end = last_change.take() + "," + object.take().substr(1);
  end.front() = ' ';
  end.pop_back();
  return end;
}

void add_schedule(JsonObject& members, const TransDelta& delta) {
  if (!delta.schedule) return;
  members.set_number("next_cron_interval", delta.schedule->interval.count());
  add_time(members, "next_cron_time", delta.schedule->time);
}

/// The members of a record that a change sets.
std::string changed_members(const TransDelta& delta) {
  JsonObject members;
  add_time(members, "update_time", delta.at);
  if (delta.status == TransStatus::succeed) add_time(members, "finish_time", delta.at);
  if (delta.status == TransStatus::failed) add_time(members, "rollback_time", delta.at);
  const auto text = [&members](std::string_view name, const std::optional<std::string>& value) {
    if (!value) return;
    value->empty() ? members.raw(name, "null") : members.set_text(name, *value);
  };
  text("rollback_reason", delta.rollback_reason);
  text("result", delta.result);
  text("custom_data", delta.custom_data);
  if (delta.options) add_changed_options(members, *delta.options);
  add_schedule(members, delta);
  return members.take();
}

std::string changed_own_members(const TransDelta& delta) {
  JsonObject own;
  add_time(own, "submit_time", delta.submit_time);
  if (delta.schedule) own.raw("waits", delta.schedule->waits ? "true" : "null");
  return own.take();
}

std::string changed_branches(const TransDelta& delta) {
  std::string list;
  for (const BranchChange& change : delta.branch_changes) {
    JsonObject members;
    members.set_text("status", to_string(change.status));
    add_time(members, "update_time", change.at);
    if (change.status != BranchStatus::prepared) add_time(members, "finish_time", change.at);
    JsonObject entry;
    entry.set_number("i", change.index);
    entry.raw("p", members.take());
    list += (list.empty() ? "" : ",") + entry.take();
  }
  return "[" + list + "]";
}

std::string edited_branches(const TransDelta& delta) {
  std::string list;
  for (const RowEdit& edit : delta.row_edits) {
    JsonObject members;
    if (edit.url)
      edit.url->empty() ? members.raw("url", "null") : members.set_text("url", *edit.url);
    add_time(members, "update_time", edit.at);
    JsonObject entry;
    entry.set_number("i", edit.index);
    entry.raw("m", members.take());
    if (edit.payload) entry.set_number("p", *edit.payload);
    list += (list.empty() ? "" : ",") + entry.take();
  }
  return "[" + list + "]";
}

std::string added_branches(const TransDelta& delta, const Gid& gid) {
  std::string list;
  for (const Branch& branch : delta.new_branches) {
    JsonObject entry;
    entry.raw("j", with_end(branch_object(branch, gid), end_of(branch)));
    entry.set_number("p", branch.payload);
    list += (list.empty() ? "" : ",") + entry.take();
  }
  return "[" + list + "]";
}

}  // namespace

std::string record_of(const Transaction& trans, std::string_view owner, std::string_view node,
                      std::int64_t change) {
  JsonObject object;
  object.set_number("id", 0);
  add_time(object, "create_time", trans.create_time);
  object.text("gid", trans.gid.view());
  object.text("trans_type", trans_type_text(trans.type));
  object.text("query_prepared", trans.query_prepared);
  object.text("protocol", to_string(trans.protocol));
  add_time(object, "finish_time", trans.finish_time);
  add_time(object, "rollback_time", trans.rollback_time);
  object.text("result", trans.result);
  object.text("rollback_reason", trans.rollback_reason);
  object.text("options", options_json(trans.options, trans.retry_count));
  object.text("custom_data", trans.custom_data);
  object.number("next_cron_interval", trans.next_cron_interval.count());
  add_time(object, "next_cron_time", trans.next_cron_time);
  add_options(object, trans.options, trans.retry_count);
  std::string record = with_end(std::move(object), "\"concerto\":");
  record +=
      with_end(own_members(trans), end_of_record(node, change, trans.update_time, trans.status));
  if (!owner.empty()) record.append(",\"owner\":\"").append(owner) += '"';
  return record += '}';
}

std::vector<std::string> branch_records_of(const Transaction& trans) {
  std::vector<std::string> records;
  records.reserve(trans.branches.size());
  std::string payload;
  std::optional<std::uint32_t> encoded;
  for (const Branch& branch : trans.branches) {
    if (encoded != branch.payload) {
      payload = branch.payload < trans.payloads.size()
                    ? base64_encode(trans.payloads[branch.payload])
                    : std::string();
      encoded = branch.payload;
    }
    JsonObject object = branch_object(branch, trans.gid);
    object.text("bin_data", payload);
    object.set_number("concerto_payload", branch.payload);
    records.push_back(with_end(std::move(object), end_of(branch)));
  }
  return records;
}

std::string delta_json(const TransDelta& delta, const Gid& gid) {
  JsonObject object;
  object.raw("g", changed_members(delta));
  object.raw("c", changed_own_members(delta));
  if (delta.status) object.set_text("status", to_string(*delta.status));
  if (delta.options) object.set_text("options", options_json(*delta.options, 0));
  if (delta.retry_count) object.set_number("retry_count", *delta.retry_count);
  if (!delta.branch_changes.empty()) object.raw("b", changed_branches(delta));
  if (!delta.new_branches.empty()) object.raw("n", added_branches(delta, gid));
  if (!delta.row_edits.empty()) object.raw("e", edited_branches(delta));
  return object.take();
}

bool changes_ends_alone(const UpdateTrans& update) {
  const TransDelta& delta = update.delta;
  const bool changes_more = delta.rollback_reason || delta.result || delta.custom_data ||
                            delta.options || delta.submit_time || delta.retry_count ||
                            !delta.new_payloads.empty() || !delta.new_branches.empty() ||
                            !delta.row_edits.empty();
  if (changes_more || is_final(update.expected)) return false;
  const bool waits = delta.schedule && delta.schedule->waits;
  if (update.rests_until ? !waits || delta.status : delta.schedule.has_value()) return false;
  if (delta.status && *delta.status != TransStatus::succeed) return false;
  return std::all_of(delta.branch_changes.begin(), delta.branch_changes.end(),
                     [](const BranchChange& c) { return c.status != BranchStatus::prepared; });
}

std::string new_end_of_record(const UpdateTrans& update, std::string_view node,
                              std::int64_t change) {
  const TransDelta& delta = update.delta;
  std::string end = end_of_record(node, change, delta.at, delta.status.value_or(update.expected));
  if (delta.status) return end + ",\"finish_time\":" + time_json(delta.at) + "}";
  const std::string_view owner = update.rests_until ? rest_mark : node;
  return end + ",\"owner\":\"" + std::string(owner) + "\"}";
}

std::string new_schedule(const UpdateTrans& update) {
  if (!update.delta.schedule) return {};
  JsonObject members;
  add_schedule(members, update.delta);
  const std::string object = members.take();
  return object.substr(1, object.size() - 2);
}

std::string new_end_of_branch(const BranchChange& change) {
  return end_of_branch(change.status, change.at, change.at);
}

std::string kv_record_of(const KvRecord& record, std::string_view node, std::int64_t change) {
  JsonObject object;
  object.set_number("id", 0);
  add_time(object, "create_time", record.create_time);
  add_time(object, "update_time", record.update_time);
  object.set_text("cat", record.cat);
  object.set_text("k", record.key);
  object.set_text("v", record.value);
  object.set_number("version", record.version);
  JsonObject own;
  own.set_text("node", node);
  own.set_number("change", change);
  object.raw("concerto", own.take());
  return object.take();
}

std::string kv_change_json(const KvRecord& record) {
  std::string json = "[";
  append_json_string(json, record.value);
  return json + "," + time_json(record.update_time) + "]";
}

std::string time_json(WallTime time) {
  return "\"" + time_text(time) + "\"";
}

}  // namespace concerto::persist
