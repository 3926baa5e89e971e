#include <sstream>

#include "number_text.hpp"
#include "report.hpp"

namespace concerto::load {
namespace {

constexpr double bytes_per_mib = 1024.0 * 1024.0;

void write_latency(std::ostream& out, const char* name_of_row, const Histogram& latency_us) {
  out << name_of_row;
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

/// Transactions that fail on purpose. Nothing if the load has none.
void write_purposes(std::ostream& out, const Report& report) {
  const Purposes& purposes = report.options.purposes;
  if (purposes.fail_share == 0 && purposes.error_share == 0) return;
  out << "on purpose      " << with_commas(report.failed_on_purpose) << " roll back, "
      << with_commas(report.errors_on_purpose) << " have a branch with an error at first\n";
  const Histogram& rolled_back_us = report.tally.rolled_back_us();
  if (rolled_back_us.count() > 0) write_latency(out, "rolled back, ms ", rolled_back_us);
}

void write_outages(std::ostream& out, const std::vector<Outage>& outages) {
  for (const Outage& outage : outages) {
    out << "outage          " << fixed(outage.begin, 1) << " s to " << fixed(outage.end, 1)
        << " s: " << with_commas(outage.failures) << " failures\n";
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
  if (report.may_end_later()) {
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
      << "command         " << report.run.command << "\n"
      << "date            " << report.run.date << "\n"
      << "machine         " << report.run.machine << "\n"
      << "transactions    " << with_commas(report.transactions()) << " in "
      << fixed(report.tally.duration(), 2) << " s: " << fixed(report.tx_per_second(), 1)
      << " per second (and " << with_commas(report.tally.warm_up_transactions())
      << " to warm up)\n";
  write_latency(out, "latency, ms     ", report.tally.latency_us());
  write_purposes(out, report);
  write_usage(out, report);
  write_failures(out, report.tally.failures());
  write_outages(out, report.tally.outages());
  write_checks(out, report);
  out << report.verdict() << "\n";
  return out.str();
}

}  // namespace concerto::load
