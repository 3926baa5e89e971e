#include <gtest/gtest.h>

#include <concerto/base/base64.hpp>

namespace concerto {
namespace {

TEST(Base64, DecodesWhatItEncodesAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    bytes += static_cast<char>(i * 37);
  }
}

TEST(Base64, DecodesPaddedAndUnpaddedText) {
  EXPECT_EQ(base64_encode("ab"), "YWI=");
  EXPECT_EQ(base64_decode("YWI="), "ab");
  EXPECT_EQ(base64_decode("YWI"), "ab");
}

TEST(Base64, RefusesOtherCharactersAndBadPadding) {
  EXPECT_EQ(base64_decode("YW I"), std::nullopt);
  EXPECT_EQ(base64_decode("Y"), std::nullopt);
  EXPECT_EQ(base64_decode("Y==="), std::nullopt);
}

}  // namespace
}  // namespace concerto
