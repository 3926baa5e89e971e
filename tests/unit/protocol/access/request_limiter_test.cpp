// How much one client may send, and who is one client.

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include <concerto/protocol/request_limiter.hpp>

#include "fake_clock.hpp"

namespace concerto::net {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

RequestContext from(std::string_view address, std::uint16_t port = 80) {
  const auto parsed = boost::asio::ip::make_address(std::string{address});
  RequestContext context;
  context.peer.bytes = parsed.is_v4()
                           ? make_address_v6(boost::asio::ip::v4_mapped, parsed.to_v4()).to_bytes()
                           : parsed.to_v6().to_bytes();
  context.peer.port = port;
  return context;
}

RequestContext by(const std::string& name, std::string_view address) {
  RequestContext context = from(address);
  context.caller = CallerId{name};
  return context;
}

RequestLimits requests(std::size_t per_second, std::size_t burst = 0) {
  RequestLimits limits;
  limits.requests_per_second = per_second;
  limits.burst = burst;
  return limits;
}

class Limiter : public testing::Test {
 protected:
  /// The number of requests that are let in, of so many at once.
  int let_in(const RequestContext& context, int count, std::size_t bytes = 0) {
    int result = 0;
    for (int i = 0; i < count; ++i) result += limiter_.refuse(context, bytes) ? 0 : 1;
    return result;
  }

  concerto::test::FakeClock clock_;
  concerto::test::SeededRandom random_{1};
  std::vector<std::string> said_;
  RequestLimiter limiter_{clock_, random_,
                          [this](const std::string& text) { said_.push_back(text); }};
};

TEST_F(Limiter, LetsABurstInAndThenOneRequestAfterTheOther) {
  limiter_.set_limits(requests(10, 3));
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 3);
  clock_.advance(100ms);
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 1);
  clock_.advance(99ms);
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 0);
  clock_.advance(1h);
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 3) << "no more than a burst is saved up";
  EXPECT_EQ(limiter_.refused_requests(), 2U + 4U + 5U + 2U);
}

TEST_F(Limiter, TakesTheRequestsOfASecondForABurstUnlessToldOtherwise) {
  limiter_.set_limits(requests(10));
  EXPECT_EQ(let_in(from("10.0.0.7"), 20), 10);
}

TEST_F(Limiter, SaysWhenToComeAgain) {
  limiter_.set_limits(requests(1, 2));
  let_in(from("10.0.0.7"), 2);
  const auto refusal = limiter_.refuse(from("10.0.0.7"), 0);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->kind, Refusal::Kind::limited);
  EXPECT_EQ(refusal->retry_after_seconds, 1U);
  EXPECT_THAT(refusal->sentence, HasSubstr("more than 1 request per second"));
}

TEST_F(Limiter, CountsEachClientForItself) {
  limiter_.set_limits(requests(1));
  EXPECT_EQ(let_in(from("10.0.0.7", 1), 1), 1);
  EXPECT_EQ(let_in(from("10.0.0.7", 2), 1), 0) << "another connection";
  EXPECT_EQ(let_in(from("10.0.0.8"), 1), 1) << "another address";
  EXPECT_EQ(let_in(from("2001:db8:0:7::1"), 1), 1);
  EXPECT_EQ(let_in(from("2001:db8:0:7:ffff::2"), 1), 0) << "the same /64";
  EXPECT_EQ(let_in(from("2001:db8:0:8::1"), 1), 1) << "another /64";
  EXPECT_EQ(let_in(RequestContext{}, 5), 5) << "the process itself";
}

TEST_F(Limiter, KnowsACallerByTheNameAtEachAddress) {
  const std::string shop = "shop", otto = "otto";
  limiter_.set_limits(requests(1));
  EXPECT_EQ(let_in(by(shop, "10.0.0.7"), 1), 1);
  EXPECT_EQ(let_in(by(shop, "10.0.0.8"), 1), 0);
  EXPECT_EQ(let_in(by(otto, "10.0.0.7"), 1), 1);
  EXPECT_EQ(let_in(from("10.0.0.7"), 1), 1) << "who is not known does not count for callers";
}

TEST_F(Limiter, LimitsBytes) {
  RequestLimits limits;
  limits.bytes_per_second = 1'000;
  limiter_.set_limits(limits);
  EXPECT_EQ(let_in(from("10.0.0.7"), 20, 100), 10);
  EXPECT_EQ(let_in(from("10.0.0.7"), 5, 0), 5) << "without a body";
  clock_.advance(10s);
  EXPECT_EQ(let_in(from("10.0.0.7"), 2, 5'000), 1) << "one body may be larger";
  const auto refusal = limiter_.refuse(from("10.0.0.7"), 1);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->retry_after_seconds, 4U);
  EXPECT_THAT(refusal->sentence, HasSubstr("more than 1000 bytes per second"));
  clock_.advance(4s + 1ms);
  EXPECT_EQ(let_in(from("10.0.0.7"), 1, 1), 1);
  EXPECT_EQ(limiter_.refused_bytes(), 10U + 1U + 1U);
  EXPECT_EQ(limiter_.refused_requests(), 0U);
}

TEST_F(Limiter, LeavesSomeAddressesAlone) {
  RequestLimits limits = requests(1);
  limits.exempt = AddressSet::parse("127.0.0.0/8, fd00::/8").value();
  limiter_.set_limits(limits);
  EXPECT_EQ(let_in(from("127.0.0.1"), 5), 5);
  EXPECT_EQ(let_in(from("fd00::7"), 5), 5);
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 1);
}

TEST_F(Limiter, MayBeChanged) {
  EXPECT_FALSE(limiter_.is_on());
  limiter_.set_limits(requests(1));
  EXPECT_TRUE(limiter_.is_on());
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 1);
  limiter_.set_limits(requests(1, 4));
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 3);
  limiter_.set_limits({});
  EXPECT_FALSE(limiter_.is_on());
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 5);
}

TEST_F(Limiter, KeepsWhoFloodsAndLocksNobodyOutWhileManyCome) {
  const std::string shop = "shop";
  limiter_.set_limits(requests(1, 100));
  EXPECT_EQ(let_in(from("10.0.0.7"), 200), 100);
  EXPECT_EQ(let_in(by(shop, "10.0.0.8"), 200), 100);
  for (int i = 0; i < 300'000; ++i) {
    const std::string address = "11." + std::to_string(i >> 16) + "." +
                                std::to_string(i >> 8 & 255) + "." + std::to_string(i & 255);
    ASSERT_EQ(let_in(from(address), 1), 1) << address;
  }
  EXPECT_EQ(let_in(from("10.0.0.7"), 5), 0);
  EXPECT_EQ(let_in(by(shop, "10.0.0.8"), 5), 0);
  EXPECT_EQ(let_in(from("12.0.0.1"), 5), 5);
}

TEST_F(Limiter, TellsTheOperatorOnceAMinuteOfEachClientAndOnlyOfSome) {
  const std::string shop = "shop";
  limiter_.set_limits(requests(1));
  let_in(by(shop, "10.0.0.7"), 4);
  let_in(from("10.0.0.8"), 2);
  EXPECT_THAT(said_,
              ElementsAre(AllOf(HasSubstr("asked by shop at 10.0.0.7:80: this client sends more "
                                          "than 1 request per second"),
                                HasSubstr("(1 since the last such line)")),
                          HasSubstr("asked by 10.0.0.8:80: ")));
  said_.clear();
  clock_.advance(61s);
  let_in(by(shop, "10.0.0.7"), 2);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("(3 since the last such line)")));
  for (int i = 0; i < 100; ++i) let_in(from("10.1.0." + std::to_string(i)), 2);
  EXPECT_EQ(said_.size(), RequestLimiter::lines_max);
}

}  // namespace
}  // namespace concerto::net
