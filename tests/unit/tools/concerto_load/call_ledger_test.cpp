#include "call_ledger.hpp"

#include <gtest/gtest.h>

namespace concerto::load {
namespace {

CallLedger two_actions() {
  return CallLedger("t", {{"01", "action"}, {"02", "action"}});
}

TEST(CallLedger, NumbersGidsOfOneLength) {
  CallLedger ledger = two_actions();
  EXPECT_EQ(ledger.gid(ledger.begin()), "t-0000000000");
  EXPECT_EQ(ledger.gid(ledger.begin()), "t-0000000001");
  EXPECT_EQ(ledger.gid(1'234'567'890).size(), ledger.gid(0).size());
}

TEST(CallLedger, IsCompleteWhenAllCallsCame) {
  CallLedger ledger = two_actions();
  const auto number = ledger.begin();
  EXPECT_TRUE(ledger.note("t-0000000000", "02", "action"));
  EXPECT_FALSE(ledger.complete(number));
  EXPECT_EQ(ledger.describe(number), "calls that did not come: action 01");
  EXPECT_TRUE(ledger.note("t-0000000000", "01", "action"));
  EXPECT_TRUE(ledger.complete(number));
}

struct StrangeCall {
  const char* name;
  const char* gid;
  const char* branch_id;
  const char* op;
};

void PrintTo(const StrangeCall& row, std::ostream* out) {
  *out << row.name;
}

class CallLedgerStrange : public testing::TestWithParam<StrangeCall> {};

TEST_P(CallLedgerStrange, IsRefused) {
  CallLedger ledger = two_actions();
  ledger.begin();
  EXPECT_FALSE(ledger.note(GetParam().gid, GetParam().branch_id, GetParam().op));
  EXPECT_EQ(ledger.calls(), 0U);
}

const StrangeCall strange_calls[] = {
    {"Op", "t-0000000000", "01", "compensate"},
    {"Branch", "t-0000000000", "03", "action"},
    {"NotBegun", "t-0000000001", "01", "action"},
    {"Prefix", "u-0000000000", "01", "action"},
    {"NoNumber", "t-", "01", "action"},
    {"TextBehind", "t-0000000000x", "01", "action"},
    {"Negative", "t--1", "01", "action"},
    {"TooLarge", "t-99999999999999999999999", "01", "action"},
    {"Empty", "", "", ""},
};
INSTANTIATE_TEST_SUITE_P(All, CallLedgerStrange, testing::ValuesIn(strange_calls),
                         [](const auto& row) { return std::string{row.param.name}; });

TEST(CallLedger, IsNotCompleteWithAnotherCall) {
  CallLedger ledger = two_actions();
  const auto number = ledger.begin();
  ledger.note("t-0000000000", "01", "action");
  ledger.note("t-0000000000", "02", "action");
  ledger.note("t-0000000000", "02", "compensate");
  EXPECT_FALSE(ledger.complete(number));
  EXPECT_EQ(ledger.describe(number), "it has called what it must not");
}

TEST(CallLedger, CountsRepeatedCalls) {
  CallLedger ledger = two_actions();
  ledger.begin();
  for (int i = 0; i < 3; ++i) ledger.note("t-0000000000", "01", "action");
  EXPECT_EQ(ledger.calls(), 3U);
  EXPECT_EQ(ledger.repeated_calls(), 2U);
}

TEST(CallLedger, CountsAcknowledgedOnesThatAreIncomplete) {
  CallLedger ledger = two_actions();
  ledger.begin();
  ledger.begin();
  EXPECT_EQ(ledger.incomplete_count(), 0U);
  ledger.acknowledge(0);
  ledger.acknowledge(0);
  EXPECT_EQ(ledger.acknowledged_count(), 1U);
  EXPECT_EQ(ledger.incomplete_count(), 1U);
  ledger.note("t-0000000000", "01", "action");
  EXPECT_EQ(ledger.incomplete_count(), 1U);
  ledger.note("t-0000000000", "02", "action");
  EXPECT_EQ(ledger.incomplete_count(), 0U);
  ledger.note("t-0000000000", "02", "cancel");
  EXPECT_EQ(ledger.incomplete_count(), 1U);
}

TEST(CallLedger, WithoutRequiredCallsAllIsComplete) {
  CallLedger ledger("t", {});
  const auto number = ledger.begin();
  ledger.acknowledge(number);
  EXPECT_TRUE(ledger.complete(number));
  EXPECT_EQ(ledger.incomplete_count(), 0U);
}

}  // namespace
}  // namespace concerto::load
