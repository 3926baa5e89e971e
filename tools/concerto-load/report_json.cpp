#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "report.hpp"

namespace concerto::load {
namespace {

namespace json = boost::json;

void add_settings(json::object& out, const Report& report) {
  const LoadOptions& options = report.options;
  out["mode"] = to_string(options.mode);
  out["wire"] = to_string(options.wire);
  out["wait_result"] = options.wait;
  if (options.rate > 0) {
    out["rate"] = options.rate;
  } else {
    out["in_flight"] = options.in_flight;
  }
  out["gid_prefix"] = options.gid_prefix;
  if (options.purposes.fail_share > 0) out["fail_share"] = options.purposes.fail_share;
  if (options.purposes.error_share > 0) out["error_share"] = options.purposes.error_share;
  out["max_failures"] = options.failures_max;
}

void add_numbers(json::object& out, const Report& report) {
  const Histogram& latency = report.tally.latency_us();
  out["transactions"] = report.transactions();
  out["warm_up_transactions"] = report.tally.warm_up_transactions();
  out["seconds"] = report.tally.duration();
  out["tx_per_second"] = report.tx_per_second();
  out["p50_us"] = latency.value_at(0.5);
  out["p90_us"] = latency.value_at(0.9);
  out["p99_us"] = latency.value_at(0.99);
  out["p99_9_us"] = latency.value_at(0.999);
  out["max_us"] = latency.max();
  out["mean_us"] = latency.mean();
  const Histogram& rolled_back = report.tally.rolled_back_us();
  if (rolled_back.count() == 0) return;
  out["rolled_back_p50_us"] = rolled_back.value_at(0.5);
  out["rolled_back_p99_us"] = rolled_back.value_at(0.99);
}

void add_usage(json::object& out, const Report& report) {
  const Usage& usage = report.usage;
  out["client_cpu_us"] = report.per_transaction(usage.client_cpu_us);
  if (usage.server_cpu_us) out["server_cpu_us"] = report.per_transaction(*usage.server_cpu_us);
  if (usage.server_resident_bytes) out["server_resident_bytes"] = *usage.server_resident_bytes;
  if (usage.device_bytes) {
    out["device_bytes"] = report.per_transaction(static_cast<double>(*usage.device_bytes));
  }
}

void add_failures(json::object& out, const Failures& failures) {
  out["failures"] = failures.count();
  json::array kinds;
  for (const Failures::Kind& kind : failures.kinds()) {
    json::object entry;
    entry["text"] = kind.text;
    entry["count"] = kind.count;
    entry["first_gid"] = kind.first_gid;
    kinds.push_back(std::move(entry));
  }
  out["failure_kinds"] = std::move(kinds);
}

void add_checks(json::object& out, const Report& report) {
  out["acknowledged"] = report.acknowledged;
  out["queried"] = report.queried;
  out["failed_on_purpose"] = report.failed_on_purpose;
  out["errors_on_purpose"] = report.errors_on_purpose;
  if (report.may_end_later()) out["drain_seconds"] = report.drain_seconds;
  out["branch_calls"] = report.branch_calls;
  out["repeated_calls"] = report.repeated_calls;
  out["wrong"] = report.findings.count();
  json::object kinds;
  for (std::size_t i = 0; i < wrong_names.size(); ++i) {
    kinds[wrong_names[i]] = report.findings.count(static_cast<Wrong>(i));
  }
  out["wrong_kinds"] = std::move(kinds);
  json::array findings;
  for (const CheckFindings::Finding& finding : report.findings.kept()) {
    json::object entry;
    entry["gid"] = finding.gid;
    entry["text"] = finding.text;
    findings.push_back(std::move(entry));
  }
  out["findings"] = std::move(findings);
}

void add_seconds(json::object& out, const std::vector<Second>& seconds) {
  json::array rows;
  for (const Second& second : seconds) {
    json::object row;
    row["end"] = second.end;
    row["tx_per_second"] = second.per_second();
    row["p99_us"] = second.p99_us;
    row["failures"] = second.failures;
    row["failures_per_second"] = second.failures_per_second();
    rows.push_back(std::move(row));
  }
  out["per_second"] = std::move(rows);
}

void add_outages(json::object& out, const std::vector<Outage>& outages) {
  json::array rows;
  for (const Outage& outage : outages) {
    json::object row;
    row["begin"] = outage.begin;
    row["end"] = outage.end;
    row["failures"] = outage.failures;
    rows.push_back(std::move(row));
  }
  out["outages"] = std::move(rows);
}

json::array objections(const Report& report) {
  json::array reasons;
  for (const std::string& reason : report.objections()) reasons.emplace_back(reason);
  return reasons;
}

}  // namespace

std::string to_json(const Report& report) {
  json::object out;
  out["passed"] = report.passed();
  out["reasons"] = objections(report);
  out["interrupted"] = report.interrupted;
  out["machine"] = report.run.machine;
  out["date"] = report.run.date;
  out["command"] = report.run.command;
  add_settings(out, report);
  add_numbers(out, report);
  add_usage(out, report);
  add_failures(out, report.tally.failures());
  add_checks(out, report);
  add_seconds(out, report.tally.seconds());
  add_outages(out, report.tally.outages());
  return json::serialize(out) + "\n";
}

}  // namespace concerto::load
