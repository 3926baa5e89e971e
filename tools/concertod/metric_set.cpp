#include "metric_set.hpp"

#include <algorithm>
#include <limits>
#include <sstream>

#include <prometheus/text_serializer.h>

namespace concerto::tools {

using prometheus::ClientMetric;
using prometheus::MetricType;

ClientMetric& MetricSet::find(std::string_view name, std::string_view help, MetricType type,
                              const Labels& labels) {
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(std::string(name), Family{std::string(help), type, {}}).first;
  }
  std::vector<ClientMetric::Label> key;
  key.reserve(labels.size());
  for (const auto& [label, value] : labels) key.push_back({std::string(label), std::string(value)});
  ClientMetric& metric = family->second.metrics[key];
  metric.label = std::move(key);
  return metric;
}

void MetricSet::counter(std::string_view name, std::string_view help, const Labels& labels,
                        double value) {
  find(name, help, MetricType::Counter, labels).counter.value += value;
}

void MetricSet::gauge(std::string_view name, std::string_view help, const Labels& labels,
                      double value) {
  find(name, help, MetricType::Gauge, labels).gauge.value += value;
}

void MetricSet::histogram(std::string_view name, std::string_view help, const Labels& labels,
                          const TimeHistogram& times,
                          std::span<const std::chrono::microseconds> shown) {
  const auto& all = TimeHistogram::bounds;
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    below += times.count(i);
    if (!shown.empty() && std::ranges::find(shown, all[i]) == shown.end()) continue;
    bounds.push_back(std::chrono::duration<double>(all[i]).count());
    counts.push_back(std::exchange(below, 0));
  }
  counts.push_back(below + times.count(all.size()));
  histogram(name, help, labels, bounds, counts, std::chrono::duration<double>(times.sum()).count());
}

void MetricSet::histogram(std::string_view name, std::string_view help, const Labels& labels,
                          std::span<const double> bounds, std::span<const std::uint64_t> counts,
                          double sum) {
  ClientMetric::Histogram& out = find(name, help, MetricType::Histogram, labels).histogram;
  out.bucket.resize(counts.size());
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    below += counts[i];
    out.bucket[i].cumulative_count += below;
    out.bucket[i].upper_bound =
        i < bounds.size() ? bounds[i] : std::numeric_limits<double>::infinity();
  }
  out.sample_count += below;
  out.sample_sum += sum;
}

std::string MetricSet::text() const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& [name, family] : families_) {
    prometheus::MetricFamily& out = families.emplace_back();
    out.name = name;
    out.help = family.help;
    out.type = family.type;
    for (const auto& [labels, metric] : family.metrics) out.metric.push_back(metric);
  }
  std::ostringstream text;
  prometheus::TextSerializer{}.Serialize(text, families);
  return std::move(text).str();
}

}  // namespace concerto::tools
