#include "call_ledger.hpp"

#include <gtest/gtest.h>

namespace concerto::load {
namespace {

CallLedger two_actions() {
  return CallLedger("t", {{{"01", "action"}, {"02", "action"}}, {}});
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

/// A ledger whose transactions all roll back: one action, which refuses, and its compensation.
CallLedger one_that_rolls_back() {
  return CallLedger("t", {{{"01", "action"}}, {{"01", "action"}, {"01", "compensate"}}}, {1, 0});
}

TEST(CallLedger, RequiresTheCompensationOfWhatFailsOnPurpose) {
  CallLedger ledger = one_that_rolls_back();
  const auto number = ledger.begin();
  EXPECT_TRUE(ledger.note("t-0000000000", "01", "action"));
  EXPECT_FALSE(ledger.complete(number));
  EXPECT_EQ(ledger.describe(number), "calls that did not come: compensate 01");
  EXPECT_TRUE(ledger.note("t-0000000000", "01", "compensate"));
  EXPECT_TRUE(ledger.complete(number));
}

TEST(CallLedger, RefusesACompensationOfWhatDoesNotFail) {
  CallLedger ledger("t", {{{"01", "action"}}, {{"01", "action"}, {"01", "compensate"}}});
  const auto number = ledger.begin();
  EXPECT_TRUE(ledger.note("t-0000000000", "01", "action"));
  EXPECT_FALSE(ledger.note("t-0000000000", "01", "compensate"));
  EXPECT_FALSE(ledger.complete(number));
}

TEST(CallLedger, HasOneErrorOfEachTransaction) {
  CallLedger ledger = two_actions();
  const auto number = ledger.begin();
  ledger.begin();
  EXPECT_TRUE(ledger.note_error(number));
  EXPECT_FALSE(ledger.note_error(number));
  EXPECT_TRUE(ledger.note_error(number + 1));
  ledger.note("t-0000000000", "01", "action");
  ledger.note("t-0000000000", "02", "action");
  EXPECT_TRUE(ledger.complete(number));
}

TEST(CallLedger, IsNotAskedTwiceAboutWhatWasTold) {
  CallLedger ledger = two_actions();
  const auto number = ledger.begin();
  ledger.acknowledge(number);
  EXPECT_TRUE(ledger.incomplete(number));
  ledger.tell(number);
  EXPECT_FALSE(ledger.incomplete(number));
  EXPECT_EQ(ledger.incomplete_count(), 0U);
  EXPECT_FALSE(ledger.complete(number));
}

TEST(Purposes, AreOfTheGivenShare) {
  const Purposes purposes{0.25, 0.5};
  int failing = 0;
  int erring = 0;
  int both = 0;
  for (std::uint64_t number = 0; number < 10'000; ++number) {
    failing += purposes.fails(number) ? 1 : 0;
    erring += purposes.errs(number) ? 1 : 0;
    both += purposes.fails(number) && purposes.errs(number) ? 1 : 0;
  }
  EXPECT_NEAR(failing, 2'500, 150);
  EXPECT_NEAR(erring, 5'000, 150);
  EXPECT_NEAR(both, 1'250, 150);
}

TEST(Purposes, HaveNoneOrAll) {
  for (std::uint64_t number = 0; number < 1'000; ++number) {
    EXPECT_FALSE(Purposes().fails(number) || Purposes().errs(number));
    EXPECT_TRUE((Purposes{1, 1}.fails(number) && Purposes{1, 1}.errs(number)));
  }
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
