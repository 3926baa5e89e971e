// What the server remembers about tokens and callers, and the hash by which it does.

#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <concerto/protocol/caller_names.hpp>
#include <concerto/protocol/right_tokens.hpp>

#include "access/sip_hash.hpp"

namespace concerto::net::test {
namespace {

PeerAddress ipv4_peer(std::uint8_t last) {
  PeerAddress address;
  address.bytes[10] = address.bytes[11] = 0xff;
  address.bytes[15] = last;
  return address;
}

TEST(RightTokens, ForgetTheOldestOnes) {
  RightTokens right({1, 2});
  const auto mark = [](std::uint64_t number) { return TokenMark{{number, 0}}; };
  const std::uint64_t all = RightTokens::tokens_max + 1;
  for (std::uint64_t i = 0; i < all; ++i) right.add(mark(i));
  EXPECT_FALSE(right.has(mark(0)));
  for (std::uint64_t i = all - RightTokens::tokens_max / 2; i < all; ++i) {
    ASSERT_TRUE(right.has(mark(i))) << i;
  }
  right.remove(mark(all - 1));
  EXPECT_FALSE(right.has(mark(all - 1)));
  EXPECT_NE(right.mark_of("a", ipv4_peer(1)), right.mark_of("a", ipv4_peer(2)));
  EXPECT_NE(right.mark_of("a", ipv4_peer(1)), RightTokens({1, 3}).mark_of("a", ipv4_peer(1)));
}

TEST(CallerNames, HaveALimit) {
  std::vector<std::string> lines;
  CallerNames names([&lines](const std::string& text) { lines.push_back(text); });
  const CallerId first = names.id_of("0");
  for (std::size_t i = 1; i < CallerNames::names_max; ++i) names.id_of(std::to_string(i));
  EXPECT_TRUE(lines.empty());
  const CallerId one = names.id_of("one more"), another = names.id_of("another one");
  EXPECT_EQ(one.name(), "(other 5809)");
  EXPECT_EQ(names.id_of("one more"), one);
  EXPECT_NE(another, one);
  EXPECT_EQ(names.id_of("0"), first);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_THAT(lines[0], testing::HasSubstr("65536 names of callers"));
}

/// OpenSSL's SipHash of the same bytes.
std::string openssl_sip_hash(std::string_view key, std::string_view bytes, unsigned rounds,
                             unsigned end_rounds) {
  std::size_t size = 16;
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                               OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_C_ROUNDS, &rounds),
                               OSSL_PARAM_construct_uint(OSSL_MAC_PARAM_D_ROUNDS, &end_rounds),
                               OSSL_PARAM_construct_end()};
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  std::string result(16, '\0');
  const auto* const data = reinterpret_cast<const unsigned char*>(bytes.data());
  EXPECT_EQ(
      EVP_MAC_init(context, reinterpret_cast<const unsigned char*>(key.data()), key.size(), params),
      1);
  EXPECT_EQ(EVP_MAC_update(context, data, bytes.size()), 1);
  EXPECT_EQ(EVP_MAC_final(context, reinterpret_cast<unsigned char*>(result.data()), nullptr,
                          result.size()),
            1);
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  return result;
}

TEST(SipHash, IsThatOfOpenSsl) {
  const std::string key = "0123456789abcdef";
  std::array<std::uint64_t, 2> key_words{};
  std::memcpy(key_words.data(), key.data(), key.size());
  std::string bytes;
  for (int size = 0; size < 40; ++size, bytes += static_cast<char>(size * 7)) {
    const auto hash = SipHash<1, 3>{key_words}({}, bytes);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(hash.data()), 16),
              openssl_sip_hash(key, bytes, 1, 3))
        << size;
    std::uint64_t word = 0;
    if (bytes.size() < sizeof word) continue;
    std::memcpy(&word, bytes.data(), sizeof word);
    EXPECT_EQ((SipHash<1, 3>{key_words}({word}, std::string_view{bytes}.substr(sizeof word))), hash)
        << size;
  }
}

}  // namespace
}  // namespace concerto::net::test
