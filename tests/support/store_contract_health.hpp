#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "store_contract_fixture.hpp"

/// The part of the contract about a store's health and numbers.
namespace concerto::test {

TEST_P(StoreContract, HealthOfAStoreThatServes) {
  for (int round = 0; round < 2; ++round) {
    const StoreHealth health = store().health();
    EXPECT_EQ(health.state, StoreHealth::State::serving);
    EXPECT_TRUE(health.reasons.empty());
    ASSERT_TRUE(commit(create(sample_saga("g" + std::to_string(round)))));
    restart();
  }
}

TEST_P(StoreContract, NumbersFitForMetrics) {
  ASSERT_TRUE(commit(create(sample_saga("g1"))));
  const StoreNumbers found = store().numbers();
  std::set<std::string_view> names{"failed", "state"};  // Every store has these.
  const auto check = [&names](std::string_view name, std::string_view help) {
    EXPECT_TRUE(names.insert(name).second) << name << " is there twice";
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    EXPECT_FALSE(name.empty());
    EXPECT_FALSE(help.empty()) << name;
  };
  for (const StoreNumber& number : found.numbers) {
    check(number.name, number.help);
    const bool counts = number.kind == StoreNumber::Kind::counter;
    EXPECT_EQ(number.name.ends_with("_total"), counts) << number.name;
    EXPECT_GE(number.value, 0) << number.name;
  }
  for (const StoreHistogram& histogram : found.histograms) {
    check(histogram.name, histogram.help);
    EXPECT_EQ(histogram.counts.size(), histogram.bounds.size() + 1) << histogram.name;
    EXPECT_TRUE(std::is_sorted(histogram.bounds.begin(), histogram.bounds.end()));
  }
}

}  // namespace concerto::test
