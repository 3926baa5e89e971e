#include <string>
#include <vector>

#include <boost/asio/error.hpp>
#include <gmock/gmock.h>

#include <concerto/transport/failed_handshakes.hpp>

#include "fake_clock.hpp"

namespace concerto::net {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

class FailedHandshakesTest : public testing::Test {
 protected:
  void fail(const char* peer, const char* reason) {
    const boost::asio::ip::tcp::endpoint from(boost::asio::ip::make_address(peer), 1234);
    failed_.note(from, Error{boost::asio::error::eof, reason});
  }

  concerto::test::FakeClock clock_;
  std::vector<std::string> said_;
  FailedHandshakes failed_{clock_, "HTTP",
                           [this](const std::string& text) { said_.push_back(text); }};
};

TEST_F(FailedHandshakesTest, TheFirstOneIsReportedAtOnce) {
  fail("10.0.0.7", "unknown ca");
  EXPECT_THAT(said_, ElementsAre("TLS handshakes failed at the HTTP port since the last such line: "
                                 "1; the last one with 10.0.0.7:1234: unknown ca"));
}

TEST_F(FailedHandshakesTest, FurtherOnesShareALineAMinute) {
  fail("10.0.0.7", "unknown ca");
  clock_.advance(seconds(59));
  for (int i = 0; i < 1000; ++i) fail("10.0.0.8", "closed by the peer");
  EXPECT_EQ(said_.size(), 1U);
  clock_.advance(seconds(1));
  EXPECT_EQ(said_.size(), 1U);
  fail("::1", "not complete in time");
  ASSERT_EQ(said_.size(), 2U);
  EXPECT_EQ(said_[1],
            "TLS handshakes failed at the HTTP port since the last such line: 1001; the last one "
            "with [::1]:1234: not complete in time");
}

}  // namespace
}  // namespace concerto::net
