#include "client_fixture.hpp"

namespace concerto::net::test {
namespace {

using std::chrono::milliseconds;

class HttpClientLookupTest : public ClientTest {};

TEST_F(HttpClientLookupTest, RequestsAtOneTimeShareALookup) {
  const auto first = start_get("http://nowhere/");
  const auto second = start_get("http://hangs/");
  const auto third = start_get("http://hangs/");
  EXPECT_EQ(finish(first).error().code, HttpErrc::resolve_failed);
  poll();
  EXPECT_EQ(resolver_.asked, 2);
  await(client_->close());
  EXPECT_EQ(finish(second).error().code, HttpErrc::closing);
  EXPECT_EQ(finish(third).error().code, HttpErrc::closing);
}

TEST_F(HttpClientLookupTest, GivesALookupUpWhenItsLastRequestEnds) {
  const auto first = start_get("http://hangs/");
  poll();
  advance(milliseconds{1000});
  const auto second = start_get("http://hangs/");
  poll();
  advance(milliseconds{2000});
  EXPECT_EQ(finish(first).error().code, HttpErrc::timed_out_unsent);
  EXPECT_EQ(resolver_.given_up, 0);
  advance(milliseconds{1000});
  EXPECT_EQ(finish(second).error().code, HttpErrc::timed_out_unsent);
  EXPECT_EQ(resolver_.given_up, 1);
  const auto third = start_get("http://hangs/");
  poll();
  EXPECT_EQ(resolver_.asked, 2);
}

}  // namespace
}  // namespace concerto::net::test
