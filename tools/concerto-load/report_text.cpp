#include <sstream>

#include "number_text.hpp"
#include "report.hpp"

namespace concerto::load {
namespace {

constexpr double bytes_per_mib = 1024.0 * 1024.0;

void write_latency(std::ostream& out, const Histogram& latency_us) {
  out << "latency, ms     ";
  for (const auto& [name, share] : {std::pair{"p50", 0.5}, std::pair{"p90", 0.9},
                                    std::pair{"p99", 0.99}, std::pair{"p99.9", 0.999}}) {
    out << name << " " << ms_text(static_cast<double>(latency_us.value_at(share))) << "   ";
  }
  out << "max " << ms_text(static_cast<double>(latency_us.max())) << "   mean "
      << ms_text(latency_us.mean()) << "\n";
}

void write_usage(std::ostream& out, const Report& report) {
  const Usage& usage = report.usage;
  out << "CPU, us each    load " << fixed(report.per_transaction(usage.client_cpu_us), 1);
  if (usage.server_cpu_us) {
    out << "   server " << fixed(report.per_transaction(*usage.server_cpu_us), 1);
  }
  out << "\n";
  if (usage.server_resident_bytes) {
    const double mib = static_cast<double>(*usage.server_resident_bytes) / bytes_per_mib;
    out << "server memory   " << fixed(mib, 1) << " MiB resident\n";
  }
  if (usage.device_bytes) {
    const double each = report.per_transaction(static_cast<double>(*usage.device_bytes));
    out << "device writes   " << fixed(each, 0) << " bytes each\n";
  }
}

void write_failures(std::ostream& out, const Failures& failures) {
  out << "failures        " << with_commas(failures.count()) << "\n";
  for (const Failures::Kind& kind : failures.kinds()) {
    out << "  " << with_commas(kind.count) << " x " << kind.text << " (first: " << kind.first_gid
        << ")\n";
  }
}

void write_checks(std::ostream& out, const Report& report) {
  out << "checked         " << with_commas(report.acknowledged) << " acknowledged, "
      << with_commas(report.queried) << " queried";
  if (report.branch_calls > 0) {
    out << ", " << with_commas(report.branch_calls) << " branch calls ("
        << with_commas(report.repeated_calls) << " repeated)";
  }
  out << "\n";
  if (!report.options.wait) {
    out << "drained         " << fixed(report.drain_seconds, 1) << " s after the load\n";
  }
  const CheckFindings& findings = report.findings;
  for (const CheckFindings::Finding& finding : findings.kept()) {
    out << "  " << finding.gid << ": " << finding.text << "\n";
  }
  if (findings.count() > findings.kept().size()) {
    out << "  and " << with_commas(findings.count() - findings.kept().size()) << " more\n";
  }
}

}  // namespace

std::string to_text(const Report& report) {
  std::ostringstream out;
  out << report.title() << (report.interrupted ? " (interrupted)" : "") << "\n"
      << "transactions    " << with_commas(report.transactions()) << " in "
      << fixed(report.tally.duration(), 2) << " s: " << fixed(report.tx_per_second(), 1)
      << " per second (and " << with_commas(report.tally.warm_up_transactions())
      << " to warm up)\n";
  write_latency(out, report.tally.latency_us());
  write_usage(out, report);
  write_failures(out, report.tally.failures());
  write_checks(out, report);
  for (const std::string& reason : report.objections()) out << "FAILED: " << reason << "\n";
  return out.str();
}

}  // namespace concerto::load
