#include <cmath>
#include <optional>

#include "chart.hpp"
#include "number_text.hpp"
#include "report.hpp"

namespace concerto::load {
namespace {

constexpr double us_per_ms = 1000;
/// The chart of percentiles has so many points for each nine.
constexpr int points_per_nine = 40;
constexpr int nines_max = 7;

constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #222; --grid: #ddd; --line: #1668c7; --back: #fff;
        --good: #1a7f37; --bad: #c62828; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --grid: #3a3a3a; --line: #6cb1ff; --back: #181818;
          --good: #57c272; --bad: #ff7b72; }
}
body { font: 15px/1.5 sans-serif; color: var(--ink); background: var(--back);
       max-width: 800px; margin: 2em auto; padding: 0 1em; }
pre { overflow-x: auto; font-size: 13px; }
svg { width: 100%; height: auto; }
svg .label { font: 12px sans-serif; fill: var(--ink); }
svg .grid { stroke: var(--grid); }
svg .axis { stroke: var(--ink); }
svg .line { fill: none; stroke: var(--line); stroke-width: 1.5; }
svg .point { fill: var(--line); }
svg .gap { fill: var(--bad); fill-opacity: 0.15; }
.verdict { font-weight: bold; }
.verdict.passed { color: var(--good); }
.verdict.failed { color: var(--bad); }
table { border-spacing: 0; }
th { text-align: left; vertical-align: top; font-weight: normal; padding-right: 1em; }
td { overflow-wrap: anywhere; }
)";

/// Latency by the number of nines: 0 is the fastest transaction, 1 is p90, 2 is p99. The chart ends
/// where one transaction is left.
Chart percentile_chart(const Histogram& latency_us) {
  Chart chart;
  chart.title = "Latency by percentile";
  chart.y_label = "ms";
  chart.x_label = "percentile";
  const double last =
      std::min<double>(nines_max, std::log10(static_cast<double>(latency_us.count()) + 1));
  const int count = static_cast<int>(last * points_per_nine);
  for (int i = 0; i <= count; ++i) {
    const double nines = static_cast<double>(i) / points_per_nine;
    const double share = 1 - std::pow(10, -nines);
    chart.points.push_back({nines, static_cast<double>(latency_us.value_at(share)) / us_per_ms});
  }
  const char* const names[] = {"0%",     "90%",     "99%",      "99.9%",
                               "99.99%", "99.999%", "99.9999%", "99.99999%"};
  for (int nines = 0; nines <= static_cast<int>(std::ceil(last)); ++nines) {
    chart.x_ticks.push_back({static_cast<double>(nines), names[nines]});
  }
  return chart;
}

template <class Value>
Chart time_chart(const Report& report, const char* title, const char* y_label, Value value) {
  Chart chart;
  chart.title = title;
  chart.y_label = y_label;
  chart.x_label = "seconds";
  for (const Second& second : report.tally.seconds()) {
    chart.points.push_back({second.end, value(second)});
  }
  for (const Outage& outage : report.tally.outages()) {
    chart.gaps.push_back({outage.begin, outage.end,
                          "outage of " + fixed(outage.end - outage.begin, 1) + " s, " +
                              with_commas(outage.failures) + " failures"});
  }
  return chart;
}

/// What a second shows of its transactions: nothing in an outage.
std::optional<double> unless_outage(const Report& report, const Second& second, double value) {
  const double middle = second.end - second.duration / 2;
  for (const Outage& outage : report.tally.outages()) {
    if (outage.begin < middle && middle < outage.end) return std::nullopt;
  }
  return value;
}

std::string row(const char* name, const std::string& value) {
  return std::string("<tr><th>") + name + "</th><td>" + escape_html(value) + "</td></tr>\n";
}

/// Whether the load has passed, why not, and what was run.
std::string head(const Report& report) {
  std::string out = "<p class=\"verdict ";
  out += report.passed() ? "passed\">passed" : "failed\">failed";
  out += "</p>\n";
  const std::vector<std::string> reasons = report.objections();
  if (!reasons.empty()) out += "<ul>\n";
  for (const std::string& reason : reasons) out += "<li>" + escape_html(reason) + "</li>\n";
  if (!reasons.empty()) out += "</ul>\n";
  return out + "<table>\n" + row("command", report.run.command) + row("date", report.run.date) +
         row("machine", report.run.machine) + "</table>\n";
}

std::string time_charts(const Report& report) {
  std::string out =
      time_chart(report, "Throughput", "transactions per second", [&](const Second& second) {
        return unless_outage(report, second, second.per_second());
      }).to_svg();
  if (report.tally.failures().count() > 0) {
    out += time_chart(report, "Failures", "failures per second", [](const Second& second) {
             return second.failures_per_second();
           }).to_svg();
  }
  return out + time_chart(report, "p99 of each second", "ms", [](const Second& second) {
                 const double ms = static_cast<double>(second.p99_us) / us_per_ms;
                 return second.transactions > 0 ? std::optional<double>(ms) : std::nullopt;
               }).to_svg();
}

}  // namespace

std::string to_html(const Report& report) {
  const std::string title = escape_html("concerto-load: " + report.title());
  std::string lines;  // escaped one by one, because escaping makes a blank of a line's end
  const std::string text = to_text(report);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines += escape_html(text.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n";
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n";
  page += "<title>" + title + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n";
  page += "<h1>" + title + "</h1>\n" + head(report) + "<pre>" + lines + "</pre>\n";
  page += percentile_chart(report.tally.latency_us()).to_svg() + time_charts(report);
  page += "</body>\n</html>\n";
  return page;
}

}  // namespace concerto::load
