#include "histogram.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "hgrm.hpp"

namespace concerto::load {
namespace {

/// Values of every size, as long as a few seconds' latencies and longer.
std::vector<std::uint64_t> random_values(std::uint64_t seed, std::size_t count) {
  test::SeededRandom random(seed);
  std::vector<std::uint64_t> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(random.below(std::uint64_t{1} << (1 + random.below(30))));
  }
  return values;
}

Histogram histogram_of(const std::vector<std::uint64_t>& values) {
  Histogram histogram;
  for (const std::uint64_t value : values) histogram.record(value);
  return histogram;
}

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.max(), 0U);
  EXPECT_EQ(histogram.value_at(0.99), 0U);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.standard_deviation(), 0);
}

TEST(Histogram, ShowsOneValueWithinAThousandth) {
  for (const std::uint64_t value : random_values(1, 5'000)) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(Histogram::value_max);  // Otherwise the exact highest one is shown.
    const std::uint64_t shown = histogram.value_at(0.5);
    EXPECT_GE(shown, value);
    EXPECT_LE(static_cast<double>(shown - value), static_cast<double>(value) / 1000) << value;
  }
}

TEST(Histogram, ShowsSmallValuesExactly) {
  for (std::uint64_t value = 0; value < Histogram::sub_bucket_count; ++value) {
    Histogram histogram;
    histogram.record(value);
    histogram.record(Histogram::value_max);
    EXPECT_EQ(histogram.value_at(0.5), value);
  }
}

TEST(Histogram, AgreesWithTheSortedValues) {
  for (const std::size_t count : {1U, 2U, 10U, 1'000U, 30'000U}) {
    std::vector<std::uint64_t> values = random_values(count, count);
    const Histogram histogram = histogram_of(values);
    std::ranges::sort(values);
    for (const double share : {0.0, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const auto rank = std::ceil(share * static_cast<double>(count));
      const std::uint64_t exact = values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
      const std::uint64_t shown = histogram.value_at(share);
      EXPECT_GE(shown, exact) << share << " of " << count;
      EXPECT_LE(static_cast<double>(shown - exact), static_cast<double>(exact) / 1000);
    }
    EXPECT_EQ(histogram.max(), values.back());
    EXPECT_EQ(histogram.count(), count);
  }
}

TEST(Histogram, KnowsMeanAndDeviation) {
  const Histogram histogram = histogram_of({2, 4, 4, 4, 5, 5, 7, 9});
  EXPECT_DOUBLE_EQ(histogram.mean(), 5);
  EXPECT_DOUBLE_EQ(histogram.standard_deviation(), 2);
}

TEST(Histogram, CountsWhatIsTooLongAsTheLongest) {
  Histogram histogram;
  histogram.record(Histogram::value_max + 1);
  histogram.record(~std::uint64_t{0});
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.value_at(0), Histogram::value_max);
}

TEST(Histogram, ForgetsWhenCleared) {
  Histogram histogram = histogram_of({5, 50, 500});
  histogram.clear();
  histogram.record(7);
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.max(), 7U);
  EXPECT_EQ(histogram.value_at(1), 7U);
  EXPECT_DOUBLE_EQ(histogram.mean(), 7);
}

TEST(Hgrm, HasTheFormOfHdrHistogram) {
  EXPECT_EQ(to_hgrm(histogram_of({1'000, 1'500, 2'000})),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n"
            "\n"
            "       1.000 0.000000000000          1           1.00\n"
            "       1.000 0.100000000000          1           1.11\n"
            "       1.000 0.200000000000          1           1.25\n"
            "       1.000 0.300000000000          1           1.43\n"
            "       1.500 0.400000000000          2           1.67\n"
            "       1.500 0.500000000000          2           2.00\n"
            "       1.500 0.550000000000          2           2.22\n"
            "       1.500 0.600000000000          2           2.50\n"
            "       1.500 0.650000000000          2           2.86\n"
            "       2.000 0.700000000000          3           3.33\n"
            "       2.000 1.000000000000          3\n"
            "#[Mean    =        1.500, StdDeviation   =        0.408]\n"
            "#[Max     =        2.000, Total count    =            3]\n"
            "#[Buckets =           21, SubBuckets     =         2048]\n");
}

TEST(Hgrm, GrowsLineByLineToTheHighestValue) {
  const std::vector<std::uint64_t> values = random_values(3, 50'000);
  std::istringstream lines(to_hgrm(histogram_of(values)));
  std::string line;
  std::getline(lines, line);
  double last_value = 0;
  double last_share = -1;
  std::uint64_t last_count = 0;
  while (std::getline(lines, line) && !line.starts_with("#")) {
    if (line.empty()) continue;
    std::istringstream row(line);
    double value = 0;
    double share = 0;
    std::uint64_t count = 0;
    ASSERT_TRUE(row >> value >> share >> count) << line;
    EXPECT_GE(value, last_value);
    EXPECT_GT(share, last_share);
    EXPECT_GE(count, last_count);
    last_value = value;
    last_share = share;
    last_count = count;
  }
  EXPECT_EQ(last_share, 1);
  EXPECT_EQ(last_count, values.size());
  EXPECT_NEAR(last_value, static_cast<double>(std::ranges::max(values)) / 1000, 0.001);
}

TEST(Hgrm, OfNothingHasOnlyItsLastLines) {
  EXPECT_EQ(to_hgrm(Histogram()),
            "       Value     Percentile TotalCount 1/(1-Percentile)\n"
            "\n"
            "       0.000 1.000000000000          0\n"
            "#[Mean    =        0.000, StdDeviation   =        0.000]\n"
            "#[Max     =        0.000, Total count    =            0]\n"
            "#[Buckets =           21, SubBuckets     =         2048]\n");
}

}  // namespace
}  // namespace concerto::load
