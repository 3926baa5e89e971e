// What the code of an embedder may do: branch callers and observers throw, an ordinary Asio
// operation throws when it is cancelled, and a coordinator is destroyed with work in flight.
#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "embedded.hpp"
#include "scripted_store.hpp"

namespace concerto::test {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

struct ThrowCase {
  const char* name;
  Caller throws;
  const char* type;
  bool concurrent;
};

class BranchCallerThatThrows : public testing::TestWithParam<ThrowCase> {};

TEST_P(BranchCallerThatThrows, IsCalledAgain) {
  bool works = false;
  Embedded embedded(
      [&](const BranchCall& call) { return works ? succeeds() : GetParam().throws(call); });
  const auto first = embedded.submit(GetParam().type, GetParam().concurrent);
  ASSERT_TRUE(first->has_value());
  EXPECT_FALSE((*first)->has_value());
  EXPECT_EQ(embedded.coordinator->in_flight().alarms, 1U);
  works = true;
  embedded.clock.advance(seconds(60));
  embedded.timers.run_due();
  embedded.run();
  EXPECT_EQ(embedded.coordinator->in_flight().alarms, 0U);
  EXPECT_GE(embedded.branches.calls, 3);
  EXPECT_TRUE(embedded.stops());
}

INSTANTIATE_TEST_SUITE_P(
    , BranchCallerThatThrows,
    testing::Values(
        ThrowCase{"AtOnce",
                  [](const BranchCall&) -> Task<BranchReply> { throw std::logic_error("no"); },
                  "saga", false},
        ThrowCase{"AtOnceBesideOthers", [](const BranchCall&) -> Task<BranchReply> { throw 1; },
                  "msg", true},
        ThrowCase{"Later", [](const BranchCall&) { return throws_later(); }, "saga", false},
        ThrowCase{"LaterBesideOthers", [](const BranchCall&) { return throws_later(); }, "msg",
                  true}),
    [](const auto& param) { return std::string(param.param.name); });

class BranchOfAsio : public testing::TestWithParam<bool> {};

TEST_P(BranchOfAsio, ThatIsCancelledAtAStopKeepsItsWaiter) {
  Embedded embedded([](const BranchCall&) { return waits_for_an_hour(); });
  const auto result = embedded.submit("msg", GetParam());
  ASSERT_FALSE(result->has_value());
  EXPECT_TRUE(embedded.stops());
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ(Embedded::code_of(result), Errc::shutting_down);
}

TEST_P(BranchOfAsio, IsCancelledByTheDestructorOfTheCoordinator) {
  Embedded embedded([](const BranchCall&) { return waits_for_an_hour(); });
  const auto result = embedded.submit("msg", GetParam());
  ASSERT_FALSE(result->has_value());
  embedded.coordinator.reset();
  ASSERT_TRUE(result->has_value());
  EXPECT_EQ(Embedded::code_of(result), Errc::shutting_down);
  embedded.run();
}

INSTANTIATE_TEST_SUITE_P(, BranchOfAsio, testing::Bool(), [](const auto& param) {
  return std::string(param.param ? "BesideOthers" : "Alone");
});

TEST(ObserverThatThrows, ChangesNothing) {
  Embedded embedded([](const BranchCall&) { return succeeds(); });
  const auto result = embedded.submit("saga");
  EXPECT_EQ(Embedded::code_of(result), error_code{});
  // Two calls, the end of the transaction, and the end of the pass.
  EXPECT_EQ(embedded.coordinator->in_flight().observer_exceptions, 4U);
  const auto about = [](const std::string& line) { return line.find("threw") != line.npos; };
  const auto& lines = embedded.observer.lines;
  ASSERT_EQ(std::count_if(lines.begin(), lines.end(), about), 3);  // after 1, 2 and 4
  EXPECT_EQ(*std::find_if(lines.begin(), lines.end(), about),
            "the observer's branch_called threw: no metric; exceptions of the observer so far: 1");
  embedded.observer.log_throws = true;
  EXPECT_TRUE(embedded.stops());
}

TEST(StoreThatThrows, LosesNothing) {
  Embedded embedded([](const BranchCall&) { return succeeds(); });
  ScriptedStore store(embedded.store);
  embedded.open(store);
  store.throwing_commits = 1;
  EXPECT_EQ(Embedded::code_of(embedded.submit("saga")), EngineErrc::store_failed);
  EXPECT_EQ(Embedded::code_of(embedded.submit("saga")), error_code{});
  EXPECT_TRUE(embedded.stops());
}

/// Begins a transaction, and does not wait for it.
Task<BranchReply> begins(Coordinator& coordinator, std::string gid) {
  TransRequest request = make_request(gid, "saga", 1);
  const Result<> submitted = co_await coordinator.submit(std::move(request));
  co_return reply_of(submitted ? Outcome::success : Outcome::error);
}

TEST(BranchThatBeginsATransaction, MayDoSoWithoutEnd) {
  constexpr int count = 20'000;
  Embedded* world = nullptr;
  Embedded embedded([&world](const BranchCall& call) {
    const int next = std::stoi(call.gid->str()) + 1;
    return next < count ? begins(*world->coordinator, std::to_string(next)) : succeeds();
  });
  world = &embedded;
  embedded.submit(make_request("0", "saga", 1));
  EXPECT_EQ(embedded.branches.calls, count);
  EXPECT_EQ(embedded.coordinator->in_flight().live, 0U);
  EXPECT_TRUE(embedded.stops());
}

/// The names of what is called before the first answer.
std::vector<std::string> calls_of(const TransOptions& options, const std::string& custom_data) {
  std::vector<std::string> calls;
  Embedded embedded([&](const BranchCall& call) {
    calls.emplace_back(call.url);
    return waits_for_an_hour();
  });
  TransRequest request = make_request("g", "saga", 2);
  request.options = options;
  request.custom_data = custom_data;
  embedded.submit(std::move(request));
  return calls;
}

TEST(SagaOptions, ConcurrentCallsAllActionsAtOnce) {
  TransOptions options;
  EXPECT_THAT(calls_of(options, ""), ElementsAre("a1"));
  options.concurrent = true;
  for (const char* custom : {"", "null", " { } ", R"({"concurrent":true})", R"({"orders":{}})"}) {
    EXPECT_THAT(calls_of(options, custom), ElementsAre("a1", "a2")) << custom;
  }
  EXPECT_THAT(calls_of(options, R"({"orders":{"1":[0]}})"), ElementsAre("a1"));
}

TEST(SagaOptions, ConcurrentIsNotContradictedByCustomData) {
  Embedded embedded([](const BranchCall&) { return succeeds(); });
  TransRequest request = make_request("g", "saga", 1);
  request.options.concurrent = true;
  request.custom_data = R"({"concurrent":false})";
  const auto refused = embedded.submit(request);
  EXPECT_EQ(Embedded::code_of(refused), Errc::invalid_request);
  EXPECT_EQ((*refused)->error().detail,
            "custom_data: concurrent is false, and true in the options");
  request.from_wire = true;
  EXPECT_EQ(Embedded::code_of(embedded.submit(request)), error_code{});
}

TEST(RegisteredFields, ThatTheModeDoesNotReadAreRefused) {
  Embedded embedded([](const BranchCall&) { return succeeds(); });
  embedded.prepare("tcc");
  BranchRequest branch;
  branch.gid = Gid("g");
  branch.trans_type = "tcc";
  branch.branch_id = "01";
  branch.fields = {{"confrim", "http://bank/confirm"}, {"cancel", "http://bank/cancel"}};
  const auto refused = embedded.register_branch(branch);
  EXPECT_EQ(Embedded::code_of(refused), EngineErrc::invalid_entry);
  EXPECT_EQ((*refused)->error().detail,
            "fields has 'confrim' with the value 'http://bank/confirm'; tcc has only 'confirm' "
            "'cancel'");
  branch.from_wire = true;
  EXPECT_EQ(Embedded::code_of(embedded.register_branch(branch)), error_code{});
}

}  // namespace
}  // namespace concerto::test
