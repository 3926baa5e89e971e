#include "metrics_text.hpp"

#include <cstdlib>
#include <optional>

namespace concerto::tools {
namespace {

/// A label's value, whose quote is at the beginning of `text`; takes it off the text.
std::optional<std::string> take_quoted(std::string_view& text) {
  if (text.empty() || text.front() != '"') return std::nullopt;
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      value += text[i] == 'n' ? '\n' : text[i];
    } else {
      value += text[i];
    }
  }
  return std::nullopt;
}

/// `{a="b",c="d"}`, without its first brace; takes it off the text.
bool take_labels(std::string_view& text, MetricsText::Sample& sample) {
  while (!text.empty() && text.front() != '}') {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return false;
    std::string name(text.substr(0, equals));
    text.remove_prefix(equals + 1);
    auto value = take_quoted(text);
    if (!value) return false;
    sample.labels.emplace(std::move(name), std::move(*value));
    if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  }
  if (text.empty()) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

MetricsText MetricsText::parse(std::string_view text) {
  MetricsText metrics;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t name_end = line.find_first_of("{ ");
    if (line.empty() || line.front() == '#' || name_end == std::string_view::npos) continue;
    const std::string name(line.substr(0, name_end));
    const bool has_labels = line[name_end] == '{';
    line.remove_prefix(name_end + 1);
    Sample sample;
    if (has_labels && !take_labels(line, sample)) continue;
    sample.value = std::strtod(std::string(line).c_str(), nullptr);
    metrics.samples_[name].push_back(std::move(sample));
  }
  return metrics;
}

const std::vector<MetricsText::Sample>& MetricsText::samples(std::string_view name) const noexcept {
  static const std::vector<Sample> none;
  const auto found = samples_.find(name);
  return found == samples_.end() ? none : found->second;
}

double MetricsText::sum(std::string_view name) const {
  double sum = 0;
  for (const Sample& sample : samples(name)) sum += sample.value;
  return sum;
}

double MetricsText::sum(std::string_view name, std::string_view label,
                        std::string_view value) const {
  double sum = 0;
  for (const Sample& sample : samples(name)) {
    const auto found = sample.labels.find(label);
    if (found != sample.labels.end() && found->second == value) sum += sample.value;
  }
  return sum;
}

}  // namespace concerto::tools
