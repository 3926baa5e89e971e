#include "report.hpp"

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chart.hpp"
#include "number_text.hpp"
#include "progress.hpp"

namespace concerto::load {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr SteadyTime start{std::chrono::hours(1)};

/// Two seconds with a transaction of 1, 2, ... 100 ms in each.
Report good_report() {
  Report report;
  report.options.gid_prefix = "load-1";
  report.run = {"db7: 4 cores", "2026-11-30 03:05:42 UTC", "concerto-load --html 'a b.html'"};
  Tally& tally = report.tally;
  tally.note_end(start, start + milliseconds(1), false);  // to warm up
  tally.start(start);
  for (int second = 1; second <= 2; ++second) {
    for (int i = 1; i <= 100; ++i) tally.note_end(start, start + milliseconds(i), i > 90);
    tally.close_second(start + std::chrono::seconds(second));
  }
  tally.stop(start + milliseconds(2'010));
  report.usage.client_cpu_us = 400;
  report.usage.server_cpu_us = 5'000;
  report.usage.server_resident_bytes = 3U << 20U;
  report.acknowledged = 201;
  report.queried = 201;
  report.branch_calls = 403;
  report.repeated_calls = 1;
  return report;
}

Report bad_report() {
  Report report = good_report();
  report.tally.note_failure("load-1-7", "HTTP 409: load-1-7 <no> \"money\"\nmore");
  report.findings.note("load-1-8", Wrong::status, "stored as {\"a\":1}");
  return report;
}

json::object parsed(const Report& report) {
  return json::parse(to_json(report)).as_object();
}

TEST(ReportJson, HasTheNumbers) {
  const json::object out = parsed(good_report());
  EXPECT_EQ(out.at("passed"), true);
  EXPECT_EQ(out.at("mode"), "saga");
  EXPECT_EQ(out.at("wire"), "grpc");
  EXPECT_EQ(out.at("in_flight"), 128);
  EXPECT_EQ(out.at("transactions"), 200);
  EXPECT_EQ(out.at("warm_up_transactions"), 1);
  EXPECT_NEAR(out.at("seconds").as_double(), 2.01, 1e-6);
  EXPECT_NEAR(out.at("tx_per_second").as_double(), 200 / 2.01, 1e-6);
  EXPECT_NEAR(out.at("p50_us").to_number<double>(), 50'000, 50);
  EXPECT_NEAR(out.at("p90_us").to_number<double>(), 90'000, 90);
  EXPECT_NEAR(out.at("p99_us").to_number<double>(), 99'000, 99);
  EXPECT_EQ(out.at("max_us"), 100'000);
  EXPECT_NEAR(out.at("mean_us").as_double(), 50'500, 1e-6);
  EXPECT_DOUBLE_EQ(out.at("client_cpu_us").as_double(), 2);
  EXPECT_DOUBLE_EQ(out.at("server_cpu_us").as_double(), 25);
  EXPECT_EQ(out.at("queried"), 201);
  EXPECT_EQ(out.at("repeated_calls"), 1);
}

TEST(ReportJson, HasAPointForEachSecond) {
  const json::array seconds = parsed(good_report()).at("per_second").as_array();
  ASSERT_EQ(seconds.size(), 2U);  // What is left behind the second one says nothing.
  EXPECT_DOUBLE_EQ(seconds[1].at("end").as_double(), 2);
  EXPECT_DOUBLE_EQ(seconds[1].at("tx_per_second").as_double(), 100);
  EXPECT_NEAR(seconds[1].at("p99_us").to_number<double>(), 99'000, 99);
}

TEST(ReportJson, LeavesOutWhatWasNotMeasured) {
  Report report = good_report();
  report.usage.server_cpu_us.reset();
  report.options.rate = 5;
  const json::object out = parsed(report);
  EXPECT_FALSE(out.contains("server_cpu_us"));
  EXPECT_FALSE(out.contains("device_bytes"));
  EXPECT_FALSE(out.contains("in_flight"));
  EXPECT_DOUBLE_EQ(out.at("rate").as_double(), 5);
}

TEST(ReportJson, NamesFailuresAndFindings) {
  const json::object out = parsed(bad_report());
  EXPECT_EQ(out.at("passed"), false);
  EXPECT_EQ(out.at("failures"), 1);
  EXPECT_EQ(out.at("failure_kinds").at(0).at("text"), "HTTP 409: <gid> <no> \"money\"");
  EXPECT_EQ(out.at("failure_kinds").at(0).at("first_gid"), "load-1-7");
  EXPECT_EQ(out.at("wrong"), 1);
  EXPECT_EQ(out.at("findings").at(0).at("gid"), "load-1-8");
}

TEST(Report, PassesWithAsManyFailuresAsAllowed) {
  Report report = good_report();
  EXPECT_TRUE(report.passed());
  report.tally.note_failure("g", "HTTP 500: x");
  EXPECT_FALSE(report.passed());
  report.options.failures_max = 1;
  EXPECT_TRUE(report.passed());
  report.findings.note("g", Wrong::lost, "lost");
  EXPECT_FALSE(report.passed());
}

TEST(Report, DoesNotPassWithoutTransactions) {
  EXPECT_FALSE(Report().passed());
  Report late;  // all of them ended after their answers
  late.errors_on_purpose = 5;
  EXPECT_TRUE(late.passed());
}

TEST(ReportText, SaysWhatWasFound) {
  const std::string text = to_text(bad_report());
  EXPECT_THAT(text, HasSubstr("saga over grpc, 128 in flight\n"));
  EXPECT_THAT(text, HasSubstr("200 in 2.01 s: 99.5 per second (and 1 to warm up)"));
  EXPECT_THAT(text, HasSubstr("p50 50.0"));
  EXPECT_THAT(text, HasSubstr("max 100.0"));
  EXPECT_THAT(text, HasSubstr("load 2.0   server 25.0"));
  EXPECT_THAT(text, HasSubstr("3.0 MiB"));
  EXPECT_THAT(text, HasSubstr("1 x HTTP 409: <gid> <no> \"money\" (first: load-1-7)"));
  EXPECT_THAT(text, HasSubstr("  load-1-8: stored as {\"a\":1}\n"));
  EXPECT_THAT(text, HasSubstr("\ndate            2026-11-30 03:05:42 UTC\n"));
  EXPECT_THAT(text, HasSubstr("\nmachine         db7: 4 cores\n"));
  EXPECT_THAT(text, HasSubstr("\ncommand         concerto-load --html 'a b.html'\n"));
}

TEST(ReportText, SaysInItsLastLineWhetherTheLoadHasPassed) {
  EXPECT_THAT(to_text(good_report()), EndsWith("\npassed: 201 acknowledged, 201 queried, "
                                               "0 failures\n"));
  EXPECT_THAT(to_text(bad_report()),
              EndsWith("\nfailed: 1 transaction failed, allowed are 0; 1 acknowledged transaction "
                       "has the wrong status\n"));
  Report report;
  for (int i = 0; i < 2; ++i) {
    for (const Wrong wrong :
         {Wrong::lost, Wrong::unfinished, Wrong::status, Wrong::calls, Wrong::not_known}) {
      report.findings.note("g", wrong, "");
    }
  }
  EXPECT_THAT(to_text(report),
              EndsWith("\nfailed: no transaction ended in the measured time; 2 acknowledged "
                       "transactions are lost; 2 acknowledged transactions are unfinished; 2 "
                       "acknowledged transactions have the wrong status; 2 acknowledged "
                       "transactions have the wrong branch calls; 2 acknowledged transactions "
                       "could not be queried\n"));
}

TEST(ReportText, ShowsWhatFailsOnPurpose) {
  Report report = good_report();
  EXPECT_THAT(to_text(report), Not(HasSubstr("on purpose")));
  report.options.purposes = {0.1, 0.2};
  report.failed_on_purpose = 20;
  report.errors_on_purpose = 41;
  EXPECT_THAT(to_text(report), HasSubstr("\non purpose      20 roll back, 41 have a branch with an "
                                         "error at first\nrolled back, ms p50 95.0"));
  const json::object out = parsed(report);
  EXPECT_EQ(out.at("failed_on_purpose"), 20);
  EXPECT_EQ(out.at("errors_on_purpose"), 41);
  EXPECT_DOUBLE_EQ(out.at("fail_share").as_double(), 0.1);
  EXPECT_NEAR(out.at("rolled_back_p50_us").to_number<double>(), 95'000, 95);
}

/// Whether every element is closed, in order, and no bare `&` or `<` is left. The page is written
/// as XML; only its first line is not.
testing::AssertionResult is_well_formed(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('\n'); at < page.size(); ++at) {
    if (page[at] == '&' && page.find(';', at) > at + 6) {
      return testing::AssertionFailure() << "a bare & at " << at;
    }
    if (page[at] != '<') continue;
    const std::size_t end = page.find('>', at);
    if (end == std::string::npos) return testing::AssertionFailure() << "no > after " << at;
    const std::string tag = page.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find_first_of(" \n"));
    if (tag.find('<') != std::string::npos) return testing::AssertionFailure() << tag;
    if (name.starts_with("/")) {
      if (open.empty() || "/" + open.back() != name) return testing::AssertionFailure() << tag;
      open.pop_back();
    } else if (!tag.ends_with("/")) {
      open.push_back(name);
    }
    at = end;
  }
  if (!open.empty()) return testing::AssertionFailure() << "not closed: " << open.back();
  return testing::AssertionSuccess();
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The element of one chart.
std::string chart_of(const std::string& page, const std::string& title) {
  const std::size_t label = page.find("aria-label=\"" + title + "\"");
  if (label == page.npos) return {};
  const std::size_t begin = page.rfind("<svg", label);
  return page.substr(begin, page.find("</svg>", label) - begin);
}

TEST(ReportHtml, SaysAtItsHeadWhetherTheLoadHasPassed) {
  const std::string good = to_html(good_report());
  EXPECT_THAT(good, HasSubstr("<p class=\"verdict passed\">passed</p>"));
  EXPECT_THAT(good, Not(HasSubstr("<li>")));
  const std::string bad = to_html(bad_report());
  EXPECT_THAT(bad, HasSubstr("<p class=\"verdict failed\">failed</p>\n<ul>\n<li>1 transaction "
                             "failed, allowed are 0</li>\n<li>1 acknowledged transaction has the "
                             "wrong status</li>\n</ul>"));
}

TEST(ReportHtml, NamesMachineDateAndCommand) {
  const std::string page = to_html(good_report());
  EXPECT_THAT(page, HasSubstr("<tr><th>machine</th><td>db7: 4 cores</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<tr><th>date</th><td>2026-11-30 03:05:42 UTC</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<tr><th>command</th><td>concerto-load --html 'a b.html'</td></tr>"));
}

TEST(ReportHtml, IsWellFormed) {
  EXPECT_TRUE(is_well_formed(to_html(good_report())));
  EXPECT_TRUE(is_well_formed(to_html(bad_report())));
  EXPECT_TRUE(is_well_formed(to_html(Report())));
}

TEST(ReportHtml, HasAChartOfFailuresIfThereAreAny) {
  EXPECT_EQ(count_of(to_html(good_report()), "<svg"), 3U);
  EXPECT_EQ(count_of(to_html(bad_report()), "<svg"), 4U);
}

TEST(ReportHtml, HasNothingFromElsewhere) {
  const std::string page = to_html(bad_report());
  EXPECT_THAT(page, HasSubstr("HTTP 409: &lt;gid&gt; &lt;no&gt; &quot;money&quot;"));
  EXPECT_THAT(page, Not(HasSubstr("href")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
}

/// Seconds with so many transactions and failures each.
Report report_of(const std::vector<std::pair<int, int>>& seconds) {
  Report report;
  report.options.failures_max = 1'000;
  report.tally.start(start);
  SteadyTime now = start;
  for (const auto& [transactions, failures] : seconds) {
    for (int i = 0; i < transactions; ++i) report.tally.note_end(now, now, false);
    for (int i = 0; i < failures; ++i) report.tally.note_failure("g", "gRPC Unavailable: gone");
    now += std::chrono::seconds(1);
    report.tally.close_second(now);
  }
  report.tally.stop(now);
  return report;
}

TEST(Outages, AreSecondsWithFailuresAlone) {
  const auto outages_of = [](const std::vector<std::pair<int, int>>& seconds) {
    std::vector<std::tuple<double, double, std::uint64_t>> found;
    const Report report = report_of(seconds);
    for (const Outage& outage : report.tally.outages()) {
      found.emplace_back(outage.begin, outage.end, outage.failures);
    }
    return found;
  };
  using Outages = std::vector<std::tuple<double, double, std::uint64_t>>;
  EXPECT_EQ(outages_of({{5, 0}, {4, 3}, {0, 7}, {0, 8}, {1, 1}, {5, 0}}), (Outages{{2, 4, 15}}));
  EXPECT_EQ(outages_of({{0, 1}, {5, 0}, {0, 2}}), (Outages{{0, 1, 1}, {2, 3, 2}}));
  // A server that stands still answers with failures only in the end.
  EXPECT_EQ(outages_of({{5, 0}, {0, 0}, {0, 0}, {0, 9}}), (Outages{{1, 4, 9}}));
  EXPECT_EQ(outages_of({{5, 0}, {0, 0}, {5, 0}}), Outages{});  // slow, but nothing fails
}

TEST(Outages, AreInEachReport) {
  const Report report = report_of({{5, 0}, {0, 7}, {0, 8}, {5, 0}});
  EXPECT_THAT(to_text(report), HasSubstr("\noutage          1.0 s to 3.0 s: 15 failures\n"));
  const json::object out = parsed(report);
  ASSERT_EQ(out.at("outages").as_array().size(), 1U);
  EXPECT_EQ(out.at("outages").at(0).at("begin"), 1.0);
  EXPECT_EQ(out.at("outages").at(0).at("end"), 3.0);
  EXPECT_EQ(out.at("outages").at(0).at("failures"), 15);
  EXPECT_EQ(out.at("per_second").at(1).at("failures_per_second"), 7.0);
}

TEST(Outages, AreDrawnAsGaps) {
  const std::string page = to_html(report_of({{5, 0}, {6, 0}, {0, 7}, {0, 8}, {5, 0}, {6, 0}}));
  EXPECT_TRUE(is_well_formed(page));
  const std::string throughput = chart_of(page, "Throughput");
  EXPECT_EQ(count_of(throughput, "<polyline"), 2U);  // before and after
  EXPECT_THAT(throughput, HasSubstr("<title>outage of 2.0 s, 15 failures</title>"));
  EXPECT_EQ(count_of(chart_of(page, "p99 of each second"), "<polyline"), 2U);
  const std::string failures = chart_of(page, "Failures");
  EXPECT_EQ(count_of(failures, "<polyline"), 1U);
  EXPECT_EQ(count_of(failures, "class=\"gap\""), 1U);
  EXPECT_THAT(failures, HasSubstr("Failures: failures per second"));
}

TEST(Chart, StepsAreRound) {
  EXPECT_THAT(round_steps(0), ElementsAre(0, 1));
  EXPECT_THAT(round_steps(10), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(round_steps(23), ElementsAre(0, 5, 10, 15, 20, 25));
  EXPECT_EQ(round_steps(0.0123).back(), 0.015);
}

TEST(NumberText, IsForPeople) {
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1'000), "1,000");
  EXPECT_EQ(with_commas(1'234'567), "1,234,567");
  EXPECT_EQ(ms_text(712), "0.712");
  EXPECT_EQ(ms_text(15'300), "15.30");
  EXPECT_EQ(ms_text(153'000), "153.0");
  EXPECT_EQ(ms_text(1'250'000), "1,250");
}

TEST(Progress, ShowsTheLastSecond) {
  Report report = good_report();
  report.options.seconds = 4;
  EXPECT_THAT(progress_line(report.options, report.tally),
              testing::MatchesRegex(R"(\[=============== +\] 50%  2 s  100 per second  )"
                                    R"(p99 99\.[0-9]+ ms  failures 0)"));
}

TEST(Progress, FollowsTransactionsWhereTheyEndTheLoad) {
  Report report = good_report();
  report.options.seconds = seconds_max;
  report.options.transactions = 400;
  EXPECT_THAT(progress_line(report.options, report.tally), HasSubstr("] 50% "));
}

TEST(Failures, DoNotLookForTheGidInWhatStandsForIt) {
  Failures failures;
  failures.note("g", "gone");
  EXPECT_EQ(failures.kinds()[0].text, "<gid>one");
}

TEST(Failures, OfManyKindsAreOthers) {
  Failures failures;
  for (int i = 0; i < 60; ++i) failures.note("g", "HTTP 500: reason " + std::to_string(i));
  failures.note("g", "HTTP 500: reason 3");
  EXPECT_EQ(failures.count(), 61U);
  ASSERT_EQ(failures.kinds().size(), Failures::kinds_max + 1);
  EXPECT_EQ(failures.kinds().back().text, "others");
  EXPECT_EQ(failures.kinds().back().count, 10U);
  EXPECT_EQ(failures.kinds()[3].count, 2U);
}

}  // namespace
}  // namespace concerto::load
