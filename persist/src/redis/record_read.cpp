#include <charconv>
#include <utility>

#include <concerto/base/base64.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/engine/error.hpp>

#include "../sql/row_mapping.hpp"
#include "../stored_checks.hpp"
#include "record_json.hpp"

namespace concerto::persist {
namespace {

using std::chrono::seconds;

/// The text is not quoted: clients see the reason, and the operator can look at the key.
Error damaged(std::string_view what) {
  return make_error(EngineErrc::store_damaged, std::string(what));
}

std::string text_of(JsonValue value) {
  return value.is(JsonKind::text) ? std::string(value.text()) : std::string();
}

std::int64_t number_of(JsonValue value) {
  return value.whole_number().value_or(0);
}

bool is_true(JsonValue value) {
  return value.is(JsonKind::boolean) && value.boolean();
}

std::optional<WallTime> time_of(JsonValue value) {
  return value.is(JsonKind::text) ? parse_time(value.text()) : std::nullopt;
}

/// Takes a member of the options, which is in the record itself and in the text `options`. False
/// if it is none.
bool read_option(JsonValue member, Transaction& trans) {
  TransOptions& options = trans.options;
  const std::string_view name = member.key();
  if (name == "wait_result") {
    options.wait_result = is_true(member);
  } else if (name == "concurrent") {
    options.concurrent = is_true(member);
  } else if (name == "timeout_to_fail") {
    options.timeout_to_fail = seconds{number_of(member)};
  } else if (name == "request_timeout") {
    options.request_timeout = seconds{number_of(member)};
  } else if (name == "retry_interval") {
    options.retry_interval = seconds{number_of(member)};
  } else if (name == "retry_limit") {
    options.retry_limit = number_of(member);
  } else if (name == "retry_count") {
    trans.retry_count = number_of(member);
  } else if (name == "branch_headers") {
    for (const JsonValue header : member) {
      options.branch_headers[std::string(header.key())] = text_of(header);
    }
  } else {
    return false;
  }
  return true;
}

/// The options, and the headers that the reference keeps apart from them. The options' own go
/// before them.
Result<> read_texts(std::string_view options, std::string_view extra, Transaction& trans) {
  JsonTree tree;
  if (!options.empty()) {
    if (!tree.parse(options) || !tree.root().is(JsonKind::object)) {
      return damaged("its member options is no JSON object");
    }
    for (const JsonValue member : tree.root()) read_option(member, trans);
  }
  if (extra.empty()) return ok();
  if (!tree.parse(extra) || !tree.root().is(JsonKind::object)) {
    return damaged("its member ext_data is no JSON object");
  }
  const auto headers = tree.root().find("headers");
  if (!headers) return ok();
  for (const JsonValue header : *headers) {
    trans.options.branch_headers.emplace(std::string(header.key()), text_of(header));
  }
  return ok();
}

/// The member `concerto`.
struct OwnMembers {
  std::optional<std::int64_t> payloads;

  void read(JsonValue object, Transaction& trans) {
    for (const JsonValue member : object) {
      if (member.key() == "payloads") payloads = number_of(member);
      if (member.key() == "submit_time") trans.submit_time = time_of(member);
      if (member.key() == "waits") trans.waits = is_true(member);
    }
  }
};

/// The members that are names.
struct Kinds {
  std::string trans_type;
  std::string status;
  std::string protocol;

  Result<> read_into(Transaction& trans) const {
    if (trans_type.empty() || status.empty()) return damaged("it has no trans_type or no status");
    const auto known = trans_status_from(status);
    if (!known) return damaged("its status '" + status + "' is not known");
    trans.type = trans_type_from(trans_type);
    trans.status = *known;
    trans.protocol = protocol_from(protocol).value_or(Protocol::http);
    return ok();
  }
};

void read_text_or_time(JsonValue member, Transaction& trans) {
  const std::string_view name = member.key();
  if (name == "gid") trans.gid = Gid{text_of(member)};
  if (name == "query_prepared") trans.query_prepared = text_of(member);
  if (name == "custom_data") trans.custom_data = text_of(member);
  if (name == "result") trans.result = text_of(member);
  if (name == "rollback_reason") trans.rollback_reason = text_of(member);
  if (name == "create_time") trans.create_time = time_of(member).value_or(WallTime{});
  if (name == "update_time") trans.update_time = time_of(member).value_or(WallTime{});
  if (name == "finish_time") trans.finish_time = time_of(member);
  if (name == "rollback_time") trans.rollback_time = time_of(member);
  if (name == "next_cron_interval") trans.next_cron_interval = seconds{number_of(member)};
  if (name == "next_cron_time") trans.next_cron_time = time_of(member).value_or(WallTime{});
}

Result<OwnMembers> read_record(std::string_view record, Transaction& trans) {
  JsonTree tree;
  if (const Result<> parsed = tree.parse(record); !parsed) {
    return damaged("its record is " + parsed.error().detail);
  }
  if (!tree.root().is(JsonKind::object)) return damaged("its record is no object");
  OwnMembers own;
  Kinds kinds;
  std::string options, extra;
  for (const JsonValue member : tree.root()) {
    const std::string_view name = member.key();
    if (read_option(member, trans)) continue;
    if (name == "trans_type") kinds.trans_type = text_of(member);
    if (name == "status") kinds.status = text_of(member);
    if (name == "protocol") kinds.protocol = text_of(member);
    if (name == "options") options = text_of(member);
    if (name == "ext_data") extra = text_of(member);
    if (name == "concerto") own.read(member, trans);
    read_text_or_time(member, trans);
  }
  CONCERTO_CHECK(kinds.read_into(trans));
  CONCERTO_CHECK(read_texts(options, extra, trans));
  CONCERTO_CHECK(check_stored(trans));
  return own;
}

/// Branches share payloads: by the index that Concerto writes, or because two branches in a row
/// with one branch_id have the same. The script `update` counts payloads in the same way.
class PayloadIndex {
 public:
  PayloadIndex(Transaction& trans, std::optional<std::int64_t> known)
      : trans_(trans), has_indexes_(known.has_value()) {
    count_ = static_cast<std::size_t>(known.value_or(0));
    trans_.payloads.resize(count_);
  }

  /// False if the payload is not base64.
  bool add(Branch& branch, std::optional<std::int64_t> index, std::string_view bin_data) {
    auto payload = base64_decode(bin_data);
    if (!payload) return false;
    if (has_indexes_ && index && *index >= 0 && static_cast<std::size_t>(*index) < count_) {
      branch.payload = static_cast<std::uint32_t>(*index);
      trans_.payloads[branch.payload] = std::move(*payload);
      return true;
    }
    if (!last_ || branch.branch_id != last_id_ || bin_data != *last_) {
      trans_.payloads.push_back(std::move(*payload));
    }
    branch.payload = static_cast<std::uint32_t>(trans_.payloads.size() - 1);
    last_id_ = branch.branch_id;
    last_ = bin_data;
    return true;
  }

 private:
  Transaction& trans_;
  const bool has_indexes_;
  std::size_t count_ = 0;
  BranchId last_id_;
  std::optional<std::string> last_;
};

Result<> read_branch(std::string_view record, Transaction& trans, PayloadIndex& payloads) {
  JsonTree tree;
  if (const Result<> parsed = tree.parse(record); !parsed) {
    return damaged("a branch is " + parsed.error().detail);
  }
  if (!tree.root().is(JsonKind::object)) return damaged("a branch is no object");
  Branch branch;
  std::string status, bin_data;
  std::optional<std::int64_t> index;
  for (const JsonValue member : tree.root()) {
    const std::string_view name = member.key();
    if (name == "branch_id") branch.branch_id = BranchId{text_of(member)};
    if (name == "op") branch.op = text_of(member);
    if (name == "url") branch.url = text_of(member);
    if (name == "status") status = text_of(member);
    if (name == "bin_data") bin_data = text_of(member);
    if (name == "create_time") branch.create_time = time_of(member);
    if (name == "update_time") branch.update_time = time_of(member);
    if (name == "finish_time") branch.finish_time = time_of(member);
    if (name == "concerto_payload") index = member.whole_number();
  }
  const auto known_status = branch_status_from(status);
  if (!known_status) return damaged("the status of a branch is not known");
  branch.status = *known_status;
  if (!payloads.add(branch, index, bin_data)) {
    return damaged("bin_data of a branch is not base64");
  }
  trans.branches.push_back(std::move(branch));
  return ok();
}

/// Reads `width` digits at the front of `text`.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  int value = 0;
  if (text.size() < width) return std::nullopt;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc{} || rest != text.data() + width || value < 0) return std::nullopt;
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

Result<Transaction> trans_of(std::string_view record,
                             const std::vector<std::string_view>& branches) {
  constexpr std::int64_t payloads_max = 1'000'000;
  Transaction trans;
  CONCERTO_TRY(const OwnMembers own, read_record(record, trans));
  if (own.payloads.value_or(0) < 0 || own.payloads.value_or(0) > payloads_max) {
    return damaged("its number of payloads is not possible");
  }
  // A list shows transactions without branches; it needs no payloads.
  if (branches.empty() && own.payloads.value_or(0) > 0) {
    trans.payloads.resize(static_cast<std::size_t>(*own.payloads));
    return trans;
  }
  PayloadIndex payloads{trans, own.payloads};
  trans.branches.reserve(branches.size());
  for (const std::string_view branch : branches) {
    CONCERTO_CHECK(read_branch(branch, trans, payloads));
  }
  return trans;
}

std::string owner_in(std::string_view record) {
  JsonTree tree;
  if (!tree.parse(record) || !tree.root().is(JsonKind::object)) return {};
  const auto owner = tree.root().find("owner");
  return owner ? text_of(*owner) : std::string();
}

Result<KvRecord> kv_of(std::string_view text) {
  JsonTree tree;
  if (const Result<> parsed = tree.parse(text); !parsed) {
    return damaged("it is " + parsed.error().detail);
  }
  if (!tree.root().is(JsonKind::object)) return damaged("it is no object");
  KvRecord record;
  for (const JsonValue member : tree.root()) {
    const std::string_view name = member.key();
    if (name == "cat") record.cat = text_of(member);
    if (name == "k") record.key = text_of(member);
    if (name == "v") record.value = text_of(member);
    if (name == "version") record.version = number_of(member);
    if (name == "create_time") record.create_time = time_of(member).value_or(WallTime{});
    if (name == "update_time") record.update_time = time_of(member).value_or(WallTime{});
  }
  return record;
}

std::optional<WallTime> parse_time(std::string_view text) {
  using namespace std::chrono;
  const auto year_number = take_digits(text, 4);
  if (!year_number || !take(text, '-')) return std::nullopt;
  const auto month_number = take_digits(text, 2);
  if (!month_number || !take(text, '-')) return std::nullopt;
  const auto day_number = take_digits(text, 2);
  if (!day_number || !take(text, 'T')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second) return std::nullopt;
  std::int64_t fraction = 0;
  if (take(text, '.')) {
    std::int64_t unit = 1'000'000'000;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      unit /= 10;
      fraction += unit * (text.front() - '0');
      text.remove_prefix(1);
    }
  }
  minutes offset{0};
  if (!take(text, 'Z')) {
    const bool is_west = !text.empty() && text.front() == '-';
    if (!is_west && (text.empty() || text.front() != '+')) return std::nullopt;
    text.remove_prefix(1);
    const auto hours_off = take_digits(text, 2);
    if (!hours_off || !take(text, ':')) return std::nullopt;
    const auto minutes_off = take_digits(text, 2);
    if (!minutes_off) return std::nullopt;
    offset = minutes{(is_west ? -1 : 1) * (*hours_off * 60 + *minutes_off)};
  }
  const year_month_day date{year{*year_number}, month{static_cast<unsigned>(*month_number)},
                            day{static_cast<unsigned>(*day_number)}};
  // The reference's own zero time, and what nanoseconds of 64 bits cannot hold.
  if (!text.empty() || !date.ok() || *year_number < 1900 || *year_number > 2200) {
    return std::nullopt;
  }
  return WallTime{sys_days{date}} + hours{*hour} + minutes{*minute} +
         std::chrono::seconds{*second} + nanoseconds{fraction} - offset;
}

}  // namespace concerto::persist
