#pragma once

#include <array>
#include <chrono>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>

#include <concerto/base/probe.hpp>

namespace concerto::tools {

/// The buckets of the reference's histograms. They are a subset of ours.
inline constexpr std::array<std::chrono::microseconds, 11> reference_bounds{
    std::chrono::microseconds(5'000),     std::chrono::microseconds(10'000),
    std::chrono::microseconds(25'000),    std::chrono::microseconds(50'000),
    std::chrono::microseconds(100'000),   std::chrono::microseconds(250'000),
    std::chrono::microseconds(500'000),   std::chrono::microseconds(1'000'000),
    std::chrono::microseconds(2'500'000), std::chrono::microseconds(5'000'000),
    std::chrono::microseconds(10'000'000)};

/// Collects the values of one scrape. Values with the same name and labels are added up, so that
/// the shards are summed. Not thread-safe.
class MetricSet {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  void counter(std::string_view name, std::string_view help, const Labels& labels, double value);
  void gauge(std::string_view name, std::string_view help, const Labels& labels, double value);
  /// Shows only the bounds in `shown` (all bounds if it is empty), so that a metric can have the
  /// buckets of another.
  void histogram(std::string_view name, std::string_view help, const Labels& labels,
                 const TimeHistogram& times, std::span<const std::chrono::microseconds> shown = {});
  /// `counts[i]` values are at most `bounds[i]` and above the bound before it; the last count has
  /// no upper bound.
  void histogram(std::string_view name, std::string_view help, const Labels& labels,
                 std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum);

  /// Prometheus' text format 0.0.4.
  std::string text() const;

 private:
  using Metrics = std::map<std::vector<prometheus::ClientMetric::Label>, prometheus::ClientMetric>;
  struct Family {
    std::string help;
    prometheus::MetricType type;
    Metrics metrics;
  };

  prometheus::ClientMetric& find(std::string_view name, std::string_view help,
                                 prometheus::MetricType type, const Labels& labels);

  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace concerto::tools
