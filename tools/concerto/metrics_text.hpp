#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace concerto::tools {

/// One reading of a page of metrics, in the text format of Prometheus.
class MetricsText {
 public:
  struct Sample {
    std::map<std::string, std::string, std::less<>> labels;
    double value = 0;
  };

  /// Reads what it understands; other lines are left out.
  static MetricsText parse(std::string_view text);

  /// All samples of a metric, in their order.
  const std::vector<Sample>& samples(std::string_view name) const noexcept;

  /// The sum of a metric's samples, or of those with this label.
  double sum(std::string_view name) const;
  double sum(std::string_view name, std::string_view label, std::string_view value) const;

  bool has(std::string_view name) const noexcept { return !samples(name).empty(); }

 private:
  std::map<std::string, std::vector<Sample>, std::less<>> samples_;
};

}  // namespace concerto::tools
