#include "metrics_text.hpp"

#include <sstream>

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

json::value document_of_page(const char* page, std::string& shown) {
  LoadReading before, now;
  now.metrics = before.metrics = MetricsText::parse(page);
  now.at = before.at + std::chrono::seconds{2};
  std::ostringstream out;
  print_load(out, before, now, "http://a", Terminal{});
  shown = out.str();
  return document_of(before, now);
}

TEST(LoadReading, WhatIsNotKnownIsNoZero) {
  std::string shown;
  const json::value away = document_of_page(
      "concerto_transactions_in_memory 3\n"
      "concerto_store_state{state=\"serving\"} 0\n"
      "concerto_store_state{state=\"refusing\"} 1\n"
      "concerto_transactions_waiting{target=\"http://b\"} 539\n"
      "concerto_branch_calls_total{target=\"http://c\",outcome=\"error\"} 2\n",
      shown);
  for (const char* const name : {"unfinished", "unfinished_complete", "oldest_seconds"}) {
    EXPECT_TRUE(away.at(name).is_null()) << name;
  }
  EXPECT_EQ(away.at("in_work"), 3);
  const json::array& targets = away.at("targets").as_array();
  ASSERT_EQ(targets.size(), 2U);
  EXPECT_EQ(targets[0].at("waiting"), 539);
  EXPECT_TRUE(targets[1].at("waiting").is_null()) << "it may have let go of those that wait";
  EXPECT_NE(shown.find("unfinished    not known (the store: refusing), 3 in work\n"),
            std::string::npos)
      << shown;
  const json::value nothing = document_of_page("concerto_ready 1\n", shown);
  EXPECT_TRUE(nothing.at("in_work").is_null());
  EXPECT_NE(shown.find("unfinished    not known, not known in work\n"), std::string::npos) << shown;
}

TEST(LoadReading, ACountThatIsNotCompleteIsALeastOne) {
  std::string shown;
  std::string page =
      "concerto_transactions_in_memory 0\n"
      "concerto_transactions_unfinished{model=\"saga\"} 0\n"
      "concerto_transactions_unfinished{model=\"msg\"} 0\n"
      "concerto_oldest_unfinished_age_seconds 0\n";
  json::value document = document_of_page(page.c_str(), shown);
  EXPECT_EQ(document.at("unfinished"), 0);
  EXPECT_EQ(document.at("unfinished_complete"), true);
  EXPECT_NE(shown.find("unfinished    0, 0 in work, the oldest 0s\n"), std::string::npos) << shown;
  document = document_of_page((page + "concerto_backlog_complete 0\n").c_str(), shown);
  EXPECT_EQ(document.at("unfinished_complete"), false);
  EXPECT_NE(shown.find("unfinished    at least 0, 0 in work"), std::string::npos) << shown;
}

}  // namespace
}  // namespace concerto::tools
