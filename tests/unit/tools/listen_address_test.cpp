#include "listen_address.hpp"

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

}  // namespace
}  // namespace concerto::tools
