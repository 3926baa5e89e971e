#include "jwt_maker.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <concerto/base/base64.hpp>

namespace concerto::net::test {
namespace {

constexpr int number_bytes = 32;  // of P-256

EVP_PKEY* new_key(std::string_view algorithm) {
  if (algorithm == "RS256") return EVP_RSA_gen(2048);
  if (algorithm == "ES256") return EVP_EC_gen("P-256");
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
}

std::string number(const EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* value = nullptr;
  EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &value), 1);
  std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(value)), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_free(value);
  return base64url(bytes);
}

/// The two numbers of a DER signature, as ES256 has them.
std::string raw_signature(std::string_view der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
  std::array<unsigned char, 2 * number_bytes> raw{};
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw.data(), number_bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw.data() + number_bytes, number_bytes);
  ECDSA_SIG_free(pair);
  return {reinterpret_cast<const char*>(raw.data()), raw.size()};
}

std::string signing_input(std::string_view header, std::string_view claims) {
  return base64url(header) + "." + base64url(claims);
}

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string text = base64_encode(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.resize(text.find_last_not_of('=') + 1);
  return text;
}

JwtIssuer::JwtIssuer(std::string algorithm, std::string id)
    : algorithm_(std::move(algorithm)),
      id_(std::move(id)),
      key_(new_key(algorithm_), EVP_PKEY_free) {}

std::string JwtIssuer::header() const {
  return R"({"alg":")" + algorithm_ + R"(","typ":"JWT","kid":")" + id_ + R"("})";
}

std::string JwtIssuer::jwk(std::string_view more) const {
  std::string jwk = R"({"kid":")" + id_ + R"(",)";
  if (algorithm_ == "RS256") {
    jwk += R"("kty":"RSA","n":")" + number(key_.get(), OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" +
           number(key_.get(), OSSL_PKEY_PARAM_RSA_E) + "\"";
  } else if (algorithm_ == "ES256") {
    jwk += R"("kty":"EC","crv":"P-256","x":")" +
           number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, number_bytes) + R"(","y":")" +
           number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, number_bytes) + "\"";
  } else {
    std::array<unsigned char, 32> bytes{};
    std::size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size);
    jwk += R"("kty":"OKP","crv":"Ed25519","x":")" +
           base64url({reinterpret_cast<const char*>(bytes.data()), size}) + "\"";
  }
  return jwk.append(more) + "}";
}

std::string JwtIssuer::token(std::string_view claims) const {
  return token_with_header(header(), claims);
}

std::string JwtIssuer::token_with_header(std::string_view header, std::string_view claims) const {
  const std::string text = signing_input(header, claims);
  return text + "." + base64url(signature(text));
}

std::string JwtIssuer::public_pem() const {
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, key_.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(out);
  return pem;
}

std::string JwtIssuer::signature(std::string_view text) const {
  const EVP_MD* const digest = algorithm_ == "EdDSA" ? nullptr : EVP_sha256();
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EXPECT_EQ(EVP_DigestSignInit(context, nullptr, digest, nullptr, key_.get()), 1);
  std::string bytes(1024, '\0');
  std::size_t size = bytes.size();
  EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(bytes.data()), &size,
                           reinterpret_cast<const unsigned char*>(text.data()), text.size()),
            1);
  EVP_MD_CTX_free(context);
  bytes.resize(size);
  return algorithm_ == "ES256" ? raw_signature(bytes) : bytes;
}

std::string jwk_set(std::string_view keys) {
  return std::string{R"({"keys":[)"}.append(keys) + "]}";
}

std::string hmac_token(std::string_view header, std::string_view claims, std::string_view secret) {
  const std::string text = signing_input(header, claims);
  std::array<unsigned char, 32> mac{};
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), nullptr);
  return text + "." + base64url({reinterpret_cast<const char*>(mac.data()), mac.size()});
}

}  // namespace concerto::net::test
