#include "api/trans_json.hpp"

#include <cstdio>
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/base64.hpp>
#include <concerto/base/masked_url.hpp>
#include <concerto/base/utf8.hpp>

#include "api/inspection_json.hpp"

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

json::object trans_object(const Transaction& trans, std::chrono::minutes offset,
                          const ModeTable& modes) {
  Members members{offset};
  members.value("id", 0);
  members.time_or_null("create_time", trans.create_time);
  members.time_or_null("update_time", trans.update_time);
  members.text("gid", trans.gid.view());
  members.text("trans_type", modes.name_of(trans.type));
  members.text("status", to_string(trans.status));
  members.text("query_prepared", masked_url(trans.query_prepared));
  members.text("protocol", to_string(trans.protocol));
  members.text("options", options_text(trans.options));
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

}  // namespace

std::string format_time(WallTime time, std::chrono::minutes offset) {
  using namespace std::chrono;
  const WallTime local = time + offset;
  const auto day = floor<days>(local);
  const year_month_day date{day};
  const hh_mm_ss clock{local - day};
  char text[64];
  int bytes = std::snprintf(
      text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%09lld", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()),
      static_cast<long long>(clock.subseconds().count()));
  std::string result{text, static_cast<std::size_t>(bytes)};
  result.resize(result.find_last_not_of('0') + 1);
  if (result.back() == '.') result.pop_back();
  if (offset == minutes::zero()) return result + "Z";
  const auto distance = static_cast<int>(abs(offset).count());
  bytes = std::snprintf(text, sizeof text, "%c%02d:%02d", offset < minutes::zero() ? '-' : '+',
                        distance / 60, distance % 60);
  return result.append(text, static_cast<std::size_t>(bytes));
}

std::string options_text(const TransOptions& options) {
  Members members{std::chrono::minutes::zero()};
  if (options.wait_result) members.value("wait_result", true);
  members.number("timeout_to_fail", options.timeout_to_fail.count());
  members.number("request_timeout", options.request_timeout.count());
  members.number("retry_interval", options.retry_interval.count());
  if (!options.branch_headers.empty()) {
    json::object headers;
    for (const auto& [name, value] : options.branch_headers) {
      headers[to_utf8(name)] = to_utf8(value);
    }
    members.value("branch_headers", std::move(headers));
  }
  members.value("concurrent", options.concurrent);
  members.number("retry_limit", options.retry_limit);
  return json::serialize(members.take());
}

std::string query_json(const std::optional<Inspection>& found, std::chrono::minutes offset,
                       const ModeTable& modes) {
  json::object answer;
  answer["transaction"] = nullptr;
  answer["branches"] = json::array{};
  if (found) {
    answer["transaction"] = trans_object(found->trans, offset, modes);
    answer["branches"] = branch_array(found->trans, offset, shown_payload_bytes_max);
    answer["why"] = why_object(*found, offset);
  }
  return json::serialize(answer);
}

std::string workflow_json(const Transaction& trans, std::chrono::minutes offset,
                          const ModeTable& modes) {
  json::object answer;
  answer["transaction"] = trans_object(trans, offset, modes);
  // The application needs all payloads; registered_bytes_max limits them.
  answer["progresses"] = branch_array(trans, offset, std::numeric_limits<std::size_t>::max());
  return json::serialize(answer);
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
                      const std::vector<std::optional<Inspection>>& why) {
  json::array transactions;
  transactions.reserve(page.transactions.size());
  for (std::size_t i = 0; i < page.transactions.size(); ++i) {
    json::object trans = trans_object(page.transactions[i], offset, modes);
    if (i < why.size() && why[i]) trans["why"] = why_object(*why[i], offset);
    transactions.push_back(std::move(trans));
  }
  return list_json(std::move(transactions), page.next_position);
}

std::string single_json(const std::optional<Transaction>& trans, std::string_view position,
                        std::chrono::minutes offset, const ModeTable& modes) {
  json::value transactions;
  if (trans) transactions = json::array{trans_object(*trans, offset, modes)};
  return list_json(std::move(transactions), position);
}

}  // namespace concerto::net
