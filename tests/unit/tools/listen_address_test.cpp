#include "listen_address.hpp"

#include <string>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

TEST(ListenAddress, IsWrittenInManyWays) {
  const std::pair<const char*, const char*> spellings[] = {{"", ""},
                                                           {"*", ""},
                                                           {"localhost", "127.0.0.1"},
                                                           {"10.0.0.1", "10.0.0.1"},
                                                           {"0.0.0.0", "0.0.0.0"},
                                                           {"::1", "::1"},
                                                           {"[::1]", "::1"},
                                                           {"[::]", "::"}};
  for (const auto& [written, address] : spellings) {
    const auto parsed = parse_listen_address(written);
    ASSERT_TRUE(parsed) << written;
    EXPECT_EQ(*parsed ? (*parsed)->to_string() : "", address) << written;
  }
  for (const char* refused : {"[127.0.0.1]", "[::1", "::1]", "[::1]:80", "1.2.3", " ", "[", "[]"}) {
    EXPECT_FALSE(parse_listen_address(refused)) << refused;
  }
}

TEST(ListenAddress, IsTakenOnlyWhenBothPortsAreFree) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor other(
      io, {boost::asio::ip::make_address("127.0.0.1"), 0});  // It listens.
  const int taken = other.local_endpoint().port();
  const std::string refusal =
      "cannot listen on 127.0.0.1:" + std::to_string(taken) + ": Address already in use";
  const auto http = listen_on_ports("127.0.0.1", taken, 0);
  ASSERT_FALSE(http);
  EXPECT_EQ(http.error().detail, refusal);
  const auto grpc = listen_on_ports("127.0.0.1", 0, taken);
  ASSERT_FALSE(grpc);
  EXPECT_EQ(grpc.error().detail, refusal);
  EXPECT_FALSE(listen_on_ports("", taken, 0));
  other.close();
  // A failure holds nothing, and what was taken is held as long as the ports live.
  const auto held = listen_on_ports("127.0.0.1", taken, 0);
  ASSERT_TRUE(held);
  EXPECT_TRUE(held->http.is_open());
  EXPECT_TRUE(held->grpc.is_open());
  EXPECT_FALSE(listen_on_ports("127.0.0.1", taken, 0));
}

}  // namespace
}  // namespace concerto::tools
