#include "api/inspection_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/utf8.hpp>

#include "api/time_text.hpp"

namespace concerto::net {
namespace {

namespace json = boost::json;

json::value time_value(const std::optional<WallTime>& time, std::chrono::minutes offset) {
  if (!time) return nullptr;
  return json::value(format_time(*time, offset));
}

json::object attempt_object(const Attempt& attempt, std::chrono::minutes offset) {
  json::object object;
  object["time"] = format_time(attempt.time, offset);
  object["branch_id"] = attempt.branch_id;
  object["op"] = to_utf8(attempt.op);
  object["url"] = to_utf8(attempt.url);
  object["latency_ms"] = std::chrono::duration<double, std::milli>(attempt.took).count();
  object["result"] = to_string(attempt.outcome);
  object["answer"] = to_utf8(attempt.answer);
  object["next_try_time"] = time_value(attempt.next_try, offset);
  return object;
}

}  // namespace

json::object why_object(const Inspection& inspection, std::chrono::minutes offset) {
  json::object object;
  object["state"] = to_string(inspection.activity);
  object["explanation"] = to_utf8(inspection.explanation);
  object["next_attempt_time"] = time_value(inspection.next_attempt, offset);
  const Transaction& trans = inspection.trans;
  object["end_time"] =
      time_value(trans.finish_time ? trans.finish_time : trans.rollback_time, offset);
  json::array urls;
  for (const std::string& url : inspection.urls) urls.emplace_back(json::string{to_utf8(url)});
  object["urls"] = std::move(urls);
  json::array attempts;
  attempts.reserve(inspection.attempts.size());
  for (const Attempt& attempt : inspection.attempts) {
    attempts.push_back(attempt_object(attempt, offset));
  }
  object["attempts"] = std::move(attempts);
  return object;
}

std::string damage_json(const DamageReport& report) {
  json::object object;
  json::array records;
  for (const DamagedRecord& record : report.records) {
    records.push_back(json::object{{"kind", record.is_trans ? "transaction" : "other"},
                                   {"name", to_utf8(record.name)},
                                   {"error", to_utf8(masked_urls(record.why))}});
  }
  object["records"] = std::move(records);
  object["next_position"] =
      report.is_complete ? std::string() : to_utf8(report.records.back().name);
  object["total"] = report.total;
  return json::serialize(object);
}

std::string why_json(const Inspection& inspection, std::chrono::minutes offset,
                     const ModeTable& modes) {
  json::object object;
  object["gid"] = to_utf8(inspection.trans.gid.view());
  object["trans_type"] = modes.name_of(inspection.trans.type);
  object["status"] = to_string(inspection.trans.status);
  for (auto& member : why_object(inspection, offset)) {
    object[member.key()] = std::move(member.value());
  }
  return json::serialize(object);
}

}  // namespace concerto::net
