#include "api/trans_json.hpp"

#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/base64.hpp>
#include <concerto/base/masked_url.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/transport/credential_header.hpp>

#include "api/inspection_json.hpp"
#include "api/json_read.hpp"
#include "api/request_json.hpp"
#include "api/time_text.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

/// Writes the members of one object, without those that the protocol leaves out when they are
/// empty.
class Members {
 public:
  explicit Members(std::chrono::minutes offset) : offset_(offset) {}

  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) object_[name] = to_utf8(value);
  }
  void number(std::string_view name, std::int64_t value) {
    if (value != 0) object_[name] = value;
  }
  void time(std::string_view name, const std::optional<WallTime>& value) {
    if (value && *value != WallTime{}) object_[name] = format_time(*value, offset_);
  }
  /// Writes null for an absent time.
  void time_or_null(std::string_view name, const std::optional<WallTime>& value) {
    object_[name] = nullptr;
    time(name, value);
  }
  /// Writes the member even if it is empty.
  void value(std::string_view name, json::value value) { object_[name] = std::move(value); }

  json::object take() { return std::move(object_); }

 private:
  json::object object_;
  std::chrono::minutes offset_;
};

std::string told_options(const TransOptions& options, CredentialHeaders credentials) {
  if (credentials == CredentialHeaders::told || options.branch_headers.empty()) {
    return options_text(options);
  }
  TransOptions masked = options;
  for (auto& [name, value] : masked.branch_headers) {
    if (is_credential_header(name)) value = "***";
  }
  return options_text(masked);
}

json::object trans_object(const Transaction& trans, std::chrono::minutes offset,
                          const ModeTable& modes, CredentialHeaders credentials) {
  Members members{offset};
  members.value("id", 0);
  members.time_or_null("create_time", trans.create_time);
  members.time_or_null("update_time", trans.update_time);
  members.text("gid", trans.gid.view());
  members.text("trans_type", modes.name_of(trans.type));
  members.text("status", to_string(trans.status));
  members.text("query_prepared", masked_url(trans.query_prepared));
  members.text("protocol", to_string(trans.protocol));
  members.text("options", told_options(trans.options, credentials));
  members.text("custom_data", trans.custom_data);
  members.text("result", trans.result);
  members.text("rollback_reason", masked_urls(trans.rollback_reason));
  members.time("finish_time", trans.finish_time);
  members.time("rollback_time", trans.rollback_time);
  members.number("next_cron_interval", trans.next_cron_interval.count());
  members.time("next_cron_time", trans.next_cron_time);
  // As with the reference's SQL stores; the options have the real value.
  members.value("concurrent", false);
  return members.take();
}

/// Limit of the payloads that an answer for people shows. The branches of a topic share one
/// payload, which would be shown many times.
constexpr std::size_t shown_payload_bytes_max = std::size_t{8} << 20;

json::object branch_object(const Transaction& trans, const Branch& branch,
                           std::chrono::minutes offset, std::size_t& payload_bytes_left) {
  Members members{offset};
  members.value("id", 0);
  members.time_or_null("create_time", branch.create_time);
  members.time_or_null("update_time", branch.update_time);
  members.text("gid", trans.gid.view());
  members.text("url", masked_url(branch.url));
  if (branch.payload < trans.payloads.size()) {
    const std::string& payload = trans.payloads[branch.payload];
    if (payload.size() <= payload_bytes_left) {
      members.text("bin_data", base64_encode(payload));
      payload_bytes_left -= payload.size();
    } else {
      members.value("bin_data_left_out", payload.size());
    }
  }
  members.text("branch_id", branch.branch_id.view());
  members.text("op", branch.op);
  members.text("status", to_string(branch.status));
  members.time("finish_time", branch.finish_time);
  return members.take();
}

json::array branch_array(const Transaction& trans, std::chrono::minutes offset,
                         std::size_t payload_bytes_max) {
  json::array branches;
  branches.reserve(trans.branches.size());
  for (const Branch& branch : trans.branches) {
    branches.push_back(branch_object(trans, branch, offset, payload_bytes_max));
  }
  return branches;
}

json::array kv_array(const std::vector<KvRecord>& records, std::chrono::minutes offset) {
  json::array array;
  array.reserve(records.size());
  for (const KvRecord& record : records) {
    Members members{offset};
    members.value("id", 0);
    members.time_or_null("create_time", record.create_time);
    members.time_or_null("update_time", record.update_time);
    members.value("cat", json::string{to_utf8(record.cat)});
    members.value("k", json::string{to_utf8(record.key)});
    members.value("v", json::string{to_utf8(masked_urls(record.value))});
    members.value("version", record.version);
    array.push_back(members.take());
  }
  return array;
}

std::string list_json(json::value transactions, std::string_view position) {
  json::object answer;
  answer["transactions"] = std::move(transactions);
  answer["next_position"] = to_utf8(position);
  return json::serialize(answer);
}

/// The readers of members: an absent or null member leaves the target as it is.
template <class T>
Result<> read_member(JsonValue object, std::string_view name, T& target) {
  const auto member = object.find(name);
  return !member || member->is(JsonKind::null) ? ok() : read_json(name, *member, target);
}

Error unknown_value(std::string_view name, std::string_view text) {
  return make_error(Errc::invalid_request, "field '" + std::string{name} +
                                               "' has a value that is not known: '" +
                                               std::string{text} + "'");
}

Result<> read_time(JsonValue object, std::string_view name, std::optional<WallTime>& target) {
  std::string text;
  CONCERTO_CHECK(read_member(object, name, text));
  if (text.empty()) return ok();
  target = time_from(text);
  return target ? ok() : unknown_value(name, text);
}

Result<> read_time(JsonValue object, std::string_view name, WallTime& target) {
  std::optional<WallTime> time;
  CONCERTO_CHECK(read_time(object, name, time));
  target = time.value_or(target);
  return ok();
}

/// A value that has a name. An absent one has the empty name.
template <class T>
Result<> read_named(JsonValue object, std::string_view name,
                    std::optional<T> (*value_of)(std::string_view), T& target) {
  std::string text;
  CONCERTO_CHECK(read_member(object, name, text));
  const std::optional<T> value = value_of(text);
  if (!value) return unknown_value(name, text);
  target = *value;
  return ok();
}

Result<TransOptions> options_from(std::string_view text) {
  if (text.empty()) return TransOptions{};
  JsonText json;
  CONCERTO_CHECK(json.parse(text, "field 'options'"));
  if (!json.root().is(JsonKind::object)) return wrong_kind("options", "an object", json.root());
  // A request has the options under the same names.
  CONCERTO_TRY(TransRequest request, trans_request_from(json.root()));
  return std::move(request.options);
}

/// What trans_object has written.
Result<Transaction> trans_from(JsonValue object, const ModeTable& modes) {
  if (!object.is(JsonKind::object)) return wrong_kind("transaction", "an object", object);
  Transaction trans;
  std::string gid;
  std::string type;
  std::string options;
  CONCERTO_CHECK(read_time(object, "create_time", trans.create_time));
  CONCERTO_CHECK(read_time(object, "update_time", trans.update_time));
  CONCERTO_CHECK(read_member(object, "gid", gid));
  CONCERTO_CHECK(read_member(object, "trans_type", type));
  CONCERTO_CHECK(read_named(object, "status", trans_status_from, trans.status));
  CONCERTO_CHECK(read_member(object, "query_prepared", trans.query_prepared));
  CONCERTO_CHECK(read_named(object, "protocol", protocol_from, trans.protocol));
  CONCERTO_CHECK(read_member(object, "options", options));
  CONCERTO_CHECK(read_member(object, "custom_data", trans.custom_data));
  CONCERTO_CHECK(read_member(object, "result", trans.result));
  CONCERTO_CHECK(read_member(object, "rollback_reason", trans.rollback_reason));
  CONCERTO_CHECK(read_time(object, "finish_time", trans.finish_time));
  CONCERTO_CHECK(read_time(object, "rollback_time", trans.rollback_time));
  CONCERTO_CHECK(read_member(object, "next_cron_interval", trans.next_cron_interval));
  CONCERTO_CHECK(read_time(object, "next_cron_time", trans.next_cron_time));
  CONCERTO_TRY(trans.options, options_from(options));
  trans.gid = Gid{std::move(gid)};
  const Mode* const mode = modes.find(type);
  trans.type = mode ? mode->type : TransType{};
  return trans;
}

Result<> read_payload(JsonValue object, std::vector<std::string>& payloads) {
  std::string text;
  CONCERTO_CHECK(read_member(object, "bin_data", text));
  std::optional<std::string> payload = base64_decode(text);
  if (!payload) return unknown_value("bin_data", text);
  if (payloads.empty() || payloads.back() != *payload) payloads.push_back(std::move(*payload));
  return ok();
}

/// What branch_object has written.
Result<> read_branch(JsonValue object, Transaction& trans) {
  if (!object.is(JsonKind::object)) return wrong_kind("branches", "objects", object);
  Branch branch;
  std::string branch_id;
  CONCERTO_CHECK(read_time(object, "create_time", branch.create_time));
  CONCERTO_CHECK(read_time(object, "update_time", branch.update_time));
  CONCERTO_CHECK(read_member(object, "url", branch.url));
  CONCERTO_CHECK(read_payload(object, trans.payloads));
  CONCERTO_CHECK(read_member(object, "branch_id", branch_id));
  CONCERTO_CHECK(read_member(object, "op", branch.op));
  CONCERTO_CHECK(read_named(object, "status", branch_status_from, branch.status));
  CONCERTO_CHECK(read_time(object, "finish_time", branch.finish_time));
  branch.branch_id = BranchId{std::move(branch_id)};
  branch.payload = static_cast<std::uint32_t>(trans.payloads.size() - 1);
  trans.branches.push_back(std::move(branch));
  return ok();
}

Result<> parse_answer(std::string_view body, JsonText& text) {
  CONCERTO_CHECK(text.parse(body, "the answer"));
  if (text.root().is(JsonKind::object)) return ok();
  return wrong_kind("the answer", "an object", text.root());
}

/// The members `transaction` and `branches`, whatever the second one's name is.
Result<std::optional<Transaction>> trans_with_branches(JsonValue answer, std::string_view branches,
                                                       const ModeTable& modes) {
  const auto object = answer.find("transaction");
  if (!object || object->is(JsonKind::null)) return std::optional<Transaction>{};
  CONCERTO_TRY(Transaction trans, trans_from(*object, modes));
  const auto rows = answer.find(branches);
  if (rows && !rows->is(JsonKind::null)) {
    if (!rows->is(JsonKind::array)) return wrong_kind(branches, "an array", *rows);
    for (const JsonValue row : *rows) CONCERTO_CHECK(read_branch(row, trans));
  }
  return std::optional<Transaction>{std::move(trans)};
}

}  // namespace

std::string options_text(const TransOptions& options) {
  std::string text;
  JsonMembers members(text);
  write_options(members, options, true);
  members.end();
  return text;
}

std::string query_json(const std::optional<Inspection>& found, std::chrono::minutes offset,
                       const ModeTable& modes, CredentialHeaders credentials) {
  json::object answer;
  answer["transaction"] = nullptr;
  answer["branches"] = json::array{};
  if (found) {
    answer["transaction"] = trans_object(found->trans, offset, modes, credentials);
    answer["branches"] = branch_array(found->trans, offset, shown_payload_bytes_max);
    answer["why"] = why_object(*found, offset);
  }
  return json::serialize(answer);
}

Result<std::optional<Transaction>> query_from_json(std::string_view body, const ModeTable& modes) {
  JsonText answer;
  CONCERTO_CHECK(parse_answer(body, answer));
  return trans_with_branches(answer.root(), "branches", modes);
}

std::string workflow_json(const Transaction& trans, std::chrono::minutes offset,
                          const ModeTable& modes, CredentialHeaders credentials) {
  json::object answer;
  answer["transaction"] = trans_object(trans, offset, modes, credentials);
  // The application needs all payloads; registered_bytes_max limits them.
  answer["progresses"] = branch_array(trans, offset, std::numeric_limits<std::size_t>::max());
  return json::serialize(answer);
}

Result<Transaction> workflow_from_json(std::string_view body, const ModeTable& modes) {
  JsonText answer;
  CONCERTO_CHECK(parse_answer(body, answer));
  CONCERTO_TRY(auto trans, trans_with_branches(answer.root(), "progresses", modes));
  if (!trans) return make_error(Errc::invalid_request, "the answer has no transaction");
  return std::move(*trans);
}

std::string kv_json(const std::vector<KvRecord>& records, std::chrono::minutes offset) {
  json::object answer;
  answer["kv"] = kv_array(records, offset);
  return json::serialize(answer);
}

std::string kv_page_json(const KvPage& page, std::chrono::minutes offset) {
  json::object answer;
  answer["kv"] = kv_array(page.records, offset);
  answer["next_position"] = to_utf8(page.next_position);
  return json::serialize(answer);
}

std::string page_json(const TransPage& page, std::chrono::minutes offset, const ModeTable& modes,
                      const std::vector<std::optional<Inspection>>& why,
                      CredentialHeaders credentials) {
  json::array transactions;
  transactions.reserve(page.transactions.size());
  for (std::size_t i = 0; i < page.transactions.size(); ++i) {
    json::object trans = trans_object(page.transactions[i], offset, modes, credentials);
    if (i < why.size() && why[i]) trans["why"] = why_object(*why[i], offset);
    transactions.push_back(std::move(trans));
  }
  return list_json(std::move(transactions), page.next_position);
}

Result<TransPage> page_from_json(std::string_view body, const ModeTable& modes) {
  JsonText answer;
  CONCERTO_CHECK(parse_answer(body, answer));
  TransPage page;
  CONCERTO_CHECK(read_member(answer.root(), "next_position", page.next_position));
  const auto list = answer.root().find("transactions");
  if (!list || list->is(JsonKind::null)) return page;
  if (!list->is(JsonKind::array)) return wrong_kind("transactions", "an array", *list);
  for (const JsonValue object : *list) {
    CONCERTO_TRY(Transaction trans, trans_from(object, modes));
    page.transactions.push_back(std::move(trans));
  }
  return page;
}

std::string single_json(const std::optional<Transaction>& trans, std::string_view position,
                        std::chrono::minutes offset, const ModeTable& modes,
                        CredentialHeaders credentials) {
  json::value transactions;
  if (trans) transactions = json::array{trans_object(*trans, offset, modes, credentials)};
  return list_json(std::move(transactions), position);
}

}  // namespace concerto::net
