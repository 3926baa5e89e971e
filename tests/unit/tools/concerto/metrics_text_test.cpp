#include "metrics_text.hpp"

#include <gtest/gtest.h>

#include "json_members.hpp"
#include "load_reading.hpp"

namespace concerto::tools {
namespace {

constexpr std::string_view metrics_page = R"(# HELP a Something
# TYPE a counter
a{target="http://b:1",outcome="error"} 3
a{target="http://b:1",outcome="success"} 4.5e1
a{target="with \"quotes\", and \\",outcome="error"} 1
plain 7
broken{a="b 1
broken2{a} 1
)";

TEST(MetricsText, ReadsSamplesWithLabels) {
  const MetricsText metrics = MetricsText::parse(metrics_page);
  ASSERT_EQ(metrics.samples("a").size(), 3U);
  EXPECT_EQ(metrics.samples("a")[2].labels.at("target"), "with \"quotes\", and \\");
  EXPECT_DOUBLE_EQ(metrics.sum("a"), 49);
  EXPECT_DOUBLE_EQ(metrics.sum("a", "outcome", "error"), 4);
  EXPECT_DOUBLE_EQ(metrics.sum("plain"), 7);
  EXPECT_FALSE(metrics.has("broken"));
  EXPECT_FALSE(metrics.has("broken2"));
  EXPECT_FALSE(metrics.has("none"));
}

TEST(LoadReading, RatesAreDifferencesOfASecond) {
  LoadReading before, now;
  before.metrics = MetricsText::parse(
      "concerto_transactions_ended_total{model=\"saga\",status=\"succeed\"} 100\n"
      "concerto_branch_calls_total{target=\"http://b\",outcome=\"error\"} 50\n");
  now.metrics = MetricsText::parse(
      "concerto_transactions_ended_total{model=\"saga\",status=\"succeed\"} 300\n"
      "concerto_branch_calls_total{target=\"http://b\",outcome=\"error\"} 20\n"
      "concerto_transactions_waiting{target=\"http://b\"} 9\n"
      "concerto_transactions_unfinished{model=\"saga\"} 12\n");
  now.at = before.at + std::chrono::seconds{2};
  const json::value document = document_of(before, now);
  EXPECT_EQ(document.at("succeeded_per_second").as_double(), 100);
  EXPECT_EQ(document.at("call_errors_per_second").as_double(), 10) << "it was started anew";
  EXPECT_EQ(count_member(object_of(document), "unfinished"), 12U);
  const json::object& target = object_of(document.at("targets").as_array().at(0));
  EXPECT_EQ(text_member(target, "target"), "http://b");
  EXPECT_EQ(count_member(target, "waiting"), 9U);
}

}  // namespace
}  // namespace concerto::tools
