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

TEST(ListenAddress, IsFreeOnlyWhenBothPortsAre) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor other(
      io, {boost::asio::ip::make_address("127.0.0.1"), 0});  // It listens.
  const int taken = other.local_endpoint().port();
  const std::string refusal =
      "cannot listen on 127.0.0.1:" + std::to_string(taken) + ": Address already in use";
  const Result<> http = check_ports_are_free("127.0.0.1", taken, 0);
  ASSERT_FALSE(http);
  EXPECT_EQ(http.error().detail, refusal);
  const Result<> grpc = check_ports_are_free("127.0.0.1", 0, taken);
  ASSERT_FALSE(grpc);
  EXPECT_EQ(grpc.error().detail, refusal);
  EXPECT_FALSE(check_ports_are_free("", taken, 0));
  other.close();
  // Twice: nothing is held afterwards.
  EXPECT_TRUE(check_ports_are_free("127.0.0.1", taken, 0));
  EXPECT_TRUE(check_ports_are_free("127.0.0.1", 0, taken));
}

}  // namespace
}  // namespace concerto::tools
