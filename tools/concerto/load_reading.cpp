#include "load_reading.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <concerto/base/utf8.hpp>

#include "json_members.hpp"
#include "table.hpp"
#include "time_text.hpp"

namespace concerto::tools {
namespace {

constexpr std::string_view calls_metric = "concerto_branch_calls_total";
constexpr std::string_view ended_metric = "concerto_transactions_ended_total";
constexpr std::string_view unfinished_metric = "concerto_transactions_unfinished";
constexpr std::string_view waiting_metric = "concerto_transactions_waiting";
constexpr std::string_view in_work_metric = "concerto_transactions_in_memory";
constexpr std::string_view oldest_metric = "concerto_oldest_unfinished_age_seconds";
constexpr std::string_view complete_metric = "concerto_backlog_complete";

double seconds_between(const LoadReading& before, const LoadReading& now) {
  return std::max(std::chrono::duration<double>(now.at - before.at).count(), 1e-3);
}

/// With two digits behind the point.
double rounded(double value) {
  constexpr double hundredths = 100;
  return std::round(value * hundredths) / hundredths;
}

/// A counter that is smaller than before began anew.
double rate(double before, double now, double seconds) {
  return rounded((now >= before ? now - before : now) / seconds);
}

double rate_with(const LoadReading& before, const LoadReading& now, std::string_view metric,
                 std::string_view label, std::string_view value) {
  return rate(before.metrics.sum(metric, label, value), now.metrics.sum(metric, label, value),
              seconds_between(before, now));
}

double rate_of(const LoadReading& before, const LoadReading& now, std::string_view metric) {
  return rate(before.metrics.sum(metric), now.metrics.sum(metric), seconds_between(before, now));
}

/// Of one target, the calls that had this outcome.
double calls_to(const MetricsText& metrics, const std::string& target, std::string_view outcome) {
  double sum = 0;
  for (const auto& sample : metrics.samples(calls_metric)) {
    const auto name = sample.labels.find("target");
    const auto how = sample.labels.find("outcome");
    if (name == sample.labels.end() || how == sample.labels.end()) continue;
    if (name->second == target && (outcome.empty() || how->second == outcome)) sum += sample.value;
  }
  return sum;
}

/// How many wait for a target. One for which none waits has no sample; but without an answer of the
/// store the coordinator may have let go of those that did.
json::value waiting_for(const std::string& target, const MetricsText& metrics) {
  const auto is_about = [&target](const MetricsText::Sample& sample) {
    const auto name = sample.labels.find("target");
    return name != sample.labels.end() && name->second == target;
  };
  const bool is_told = std::ranges::any_of(metrics.samples(waiting_metric), is_about);
  if (!is_told && !metrics.has(unfinished_metric)) return nullptr;
  return static_cast<std::uint64_t>(metrics.sum(waiting_metric, "target", target));
}

json::array targets_between(const LoadReading& before, const LoadReading& now) {
  const double seconds = seconds_between(before, now);
  std::vector<std::string> names;
  for (const std::string_view metric : {waiting_metric, calls_metric}) {
    for (const auto& sample : now.metrics.samples(metric)) {
      const auto name = sample.labels.find("target");
      if (name == sample.labels.end()) continue;
      if (std::find(names.begin(), names.end(), name->second) == names.end()) {
        names.push_back(name->second);
      }
    }
  }
  json::array targets;
  for (const std::string& name : names) {
    targets.push_back(json::object{
        {"target", name},
        {"waiting", waiting_for(name, now.metrics)},
        {"calls_per_second",
         rate(calls_to(before.metrics, name, ""), calls_to(now.metrics, name, ""), seconds)},
        {"errors_per_second", rate(calls_to(before.metrics, name, "error"),
                                   calls_to(now.metrics, name, "error"), seconds)}});
  }
  std::stable_sort(targets.begin(), targets.end(), [](const auto& left, const auto& right) {
    return count_member(object_of(left), "waiting") > count_member(object_of(right), "waiting");
  });
  return targets;
}

/// What there is now; null if the coordinator does not know it. A counter has no sample before
/// there is something to count; such a gauge has none without an answer of the store.
json::value count_now(const MetricsText& metrics, std::string_view gauge) {
  if (!metrics.has(gauge)) return nullptr;
  return static_cast<std::uint64_t>(metrics.sum(gauge));
}

/// Whether all unfinished transactions were counted; null if none were.
json::value is_complete(const MetricsText& metrics) {
  if (!metrics.has(unfinished_metric)) return nullptr;
  return !metrics.has(complete_metric) || metrics.sum(complete_metric) > 0;
}

std::string count_text(const json::object& of, std::string_view name) {
  return of.at(name).is_null() ? "not known" : text_member(of, name);
}

/// Why nothing is known of what is unfinished; empty if that is not to be seen.
std::string store_text(const MetricsText& metrics) {
  for (const auto& sample : metrics.samples("concerto_store_state")) {
    const auto state = sample.labels.find("state");
    if (sample.value > 0 && state != sample.labels.end() && state->second != "serving") {
      return " (the store: " + visible_line(state->second) + ")";
    }
  }
  return {};
}

/// The numbers of the moment. What is not known is no zero.
std::string now_text(const json::object& load, const MetricsText& metrics) {
  const bool is_known = !load.at("unfinished").is_null();
  const json::value* const complete = load.if_contains("unfinished_complete");
  std::string text = is_known && !complete->get_bool() ? "at least " : "";
  text += count_text(load, "unfinished") + (is_known ? "" : store_text(metrics));
  text += ", " + count_text(load, "in_work") + " in work";
  if (!metrics.has(oldest_metric)) return text + (is_known ? ", the oldest not known" : "");
  const std::chrono::seconds oldest{static_cast<long long>(metrics.sum(oldest_metric))};
  return text + ", the oldest " + duration_text(oldest);
}

std::string number_text(const json::object& of, std::string_view name) {
  const json::value* const value = of.if_contains(name);
  if (value == nullptr) return {};
  if (!value->is_double()) return text_member(of, name);
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value->get_double());
  return text;
}

}  // namespace

bool is_paused(const MetricsText& metrics) {
  return metrics.sum("concerto_paused") > 0;
}

json::value document_of(const LoadReading& before, const LoadReading& now) {
  json::object modes;
  for (const auto& sample : now.metrics.samples(unfinished_metric)) {
    const auto mode = sample.labels.find("model");
    if (mode != sample.labels.end()) {
      modes[mode->second] = static_cast<std::uint64_t>(sample.value);
    }
  }
  return json::object{
      {"paused", is_paused(now.metrics)},
      {"succeeded_per_second", rate_with(before, now, ended_metric, "status", "succeed")},
      {"failed_per_second", rate_with(before, now, ended_metric, "status", "failed")},
      {"calls_per_second", rate_of(before, now, calls_metric)},
      {"call_errors_per_second", rate_with(before, now, calls_metric, "outcome", "error")},
      {"requests_per_second", rate_of(before, now, "concerto_server_response_seconds_count")},
      {"unfinished", count_now(now.metrics, unfinished_metric)},
      {"unfinished_complete", is_complete(now.metrics)},
      {"in_work", count_now(now.metrics, in_work_metric)},
      {"oldest_seconds", now.metrics.has(oldest_metric)
                             ? json::value(rounded(now.metrics.sum(oldest_metric)))
                             : json::value(nullptr)},
      {"unfinished_by_mode", std::move(modes)},
      {"targets", targets_between(before, now)}};
}

void print_load(std::ostream& out, const LoadReading& before, const LoadReading& now,
                const std::string& server, const Terminal& terminal) {
  const json::value document = document_of(before, now);
  const json::object& load = object_of(document);
  out << coloured(visible_line(server), Colour::bold, terminal.has_colour) << '\n';
  if (is_paused(now.metrics)) {
    out << coloured(paused_text, Colour::yellow, terminal.has_colour) << '\n';
  }
  out << "transactions  " << number_text(load, "succeeded_per_second") << "/s succeed, "
      << number_text(load, "failed_per_second") << "/s fail\n"
      << "calls         " << number_text(load, "calls_per_second") << "/s, "
      << number_text(load, "call_errors_per_second") << "/s with errors\n"
      << "requests      " << number_text(load, "requests_per_second") << "/s\n"
      << "unfinished    " << now_text(load, now.metrics) << '\n';
  Table modes({{"MODE", false, false}, {"UNFINISHED", true, false}});
  for (const auto& [mode, count] : object_member(load, "unfinished_by_mode")) {
    if (count.is_uint64() && count.get_uint64() > 0) {
      modes.add({std::string(mode), std::to_string(count.get_uint64())});
    }
  }
  Table targets({{"TARGET", false, true},
                 {"WAITING HERE", true, false},
                 {"CALLS/S", true, false},
                 {"ERRORS/S", true, false}});
  for (const json::value& one : array_member(load, "targets")) {
    const json::object& target = object_of(one);
    const std::string errors = number_text(target, "errors_per_second");
    targets.add({text_member(target, "target"),
                 text_member(target, "waiting"),
                 number_text(target, "calls_per_second"),
                 {errors, errors == "0.0" ? Colour::none : Colour::red}});
  }
  for (const Table* const table : {&modes, &targets}) {
    if (table->size() == 0) continue;
    out << '\n';
    table->print(out, terminal);
  }
}

}  // namespace concerto::tools
