#include "metric_set.hpp"

#include <gmock/gmock.h>

#include "process_metrics.hpp"

namespace concerto::tools {
namespace {

using std::chrono::microseconds;
using testing::HasSubstr;
using testing::Not;

TEST(MetricSet, WritesPrometheusText) {
  MetricSet metrics;
  metrics.counter("requests_total", "Requests", {{"api", "submit"}}, 3);
  metrics.gauge("depth", "Depth", {}, 7);
  EXPECT_EQ(metrics.text(),
            "# HELP depth Depth\n"
            "# TYPE depth gauge\n"
            "depth 7\n"
            "# HELP requests_total Requests\n"
            "# TYPE requests_total counter\n"
            "requests_total{api=\"submit\"} 3\n");
}

TEST(MetricSet, AddsUpWhatHasTheSameLabels) {
  MetricSet metrics;
  metrics.counter("n_total", "N", {{"a", "1"}}, 3);
  metrics.counter("n_total", "N", {{"a", "2"}}, 5);
  metrics.counter("n_total", "N", {{"a", "1"}}, 4);
  EXPECT_THAT(metrics.text(), HasSubstr("n_total{a=\"1\"} 7\nn_total{a=\"2\"} 5\n"));
}

TEST(MetricSet, EscapesLabels) {
  MetricSet metrics;
  metrics.gauge("g", "G", {{"target", "a\"b\\c\nd"}}, 1);
  EXPECT_THAT(metrics.text(), HasSubstr(R"(g{target="a\"b\\c\nd"} 1)"));
}

TEST(MetricSet, ShowsTimesFrom100MicrosecondsOn) {
  TimeHistogram times;
  times.add(microseconds(100));
  times.add(microseconds(101));
  times.add(std::chrono::seconds(11));
  times.add(microseconds(-5));
  MetricSet metrics;
  metrics.histogram("t", "T", {}, times);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("t_bucket{le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("t_bucket{le=\"0.00025\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("t_bucket{le=\"10\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("t_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("t_count 4\n"));
  EXPECT_THAT(text, HasSubstr("t_sum 11.000201\n"));
}

TEST(MetricSet, KeepsTheReferencesBucketsWhereTheyAreWanted) {
  TimeHistogram times;
  times.add(microseconds(200));
  times.add(microseconds(700'000));
  MetricSet metrics;
  metrics.histogram("t", "T", {}, times, reference_bounds);
  metrics.histogram("t", "T", {}, times, reference_bounds);
  const std::string text = metrics.text();
  EXPECT_THAT(text, Not(HasSubstr("le=\"0.0025\"")));
  EXPECT_THAT(text, HasSubstr("t_bucket{le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("t_bucket{le=\"0.5\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("t_bucket{le=\"1\"} 4\n"));
}

TEST(ProcessMetrics, KnowThisProcess) {
  MetricSet metrics;
  collect_process(metrics);
  const std::string text = metrics.text();
  for (const char* name : {"process_cpu_seconds_total ", "process_open_fds ", "process_max_fds ",
                           "process_resident_memory_bytes ", "process_virtual_memory_bytes ",
                           "process_start_time_seconds "}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name)) << name;
    EXPECT_THAT(text, Not(HasSubstr(std::string("\n") + name + "0\n"))) << name;
  }
}

}  // namespace
}  // namespace concerto::tools
