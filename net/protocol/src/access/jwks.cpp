#include "access/jwks.hpp"

#include <algorithm>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>

#include <concerto/base/base64.hpp>
#include <concerto/base/json_tree.hpp>

namespace concerto::net {
namespace {

constexpr std::size_t keys_max = 100;
constexpr std::size_t id_bytes_max = 256;
constexpr int rsa_bits_min = 2'048;
constexpr int rsa_bits_max = 8'192;
constexpr std::size_t p256_bytes = 32;
constexpr std::size_t ed25519_bytes = 32;

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const noexcept {
    free(object);
  }
};
template <class T, auto free>
using Owned = std::unique_ptr<T, Free<free>>;

using Number = Owned<BIGNUM, BN_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using ParamsBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Number number_from(std::string_view bytes) {
  return Number{BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr)};
}

std::string_view text_member(JsonValue object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->is(JsonKind::text) ? member->text() : std::string_view{};
}

/// The bytes of a member, or nothing if it is absent, empty or not base64url.
std::optional<std::string> bytes_member(JsonValue object, std::string_view name) {
  auto bytes = base64url_decode(text_member(object, name));
  return bytes && !bytes->empty() ? bytes : std::nullopt;
}

std::shared_ptr<EVP_PKEY> public_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Params params{OSSL_PARAM_BLD_to_param(builder)};
  const KeyContext context{EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  std::shared_ptr<EVP_PKEY> owned{key, EVP_PKEY_free};
  const KeyContext check{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
  return check && EVP_PKEY_public_check(check.get()) == 1 ? owned : nullptr;
}

std::shared_ptr<EVP_PKEY> rsa_key(JsonValue jwk) {
  const auto modulus = bytes_member(jwk, "n");
  const auto exponent = bytes_member(jwk, "e");
  constexpr std::size_t exponent_bytes_max = 8;
  constexpr std::size_t modulus_bytes_max = rsa_bits_max / 8;
  if (!modulus || !exponent || exponent->size() > exponent_bytes_max ||
      modulus->size() > modulus_bytes_max) {
    return nullptr;
  }
  const Number n = number_from(*modulus), e = number_from(*exponent);
  if (!n || !e || BN_num_bits(n.get()) < rsa_bits_min || !BN_is_odd(e.get()) ||
      BN_is_one(e.get())) {
    return nullptr;
  }
  const ParamsBuilder builder{OSSL_PARAM_BLD_new()};
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
    return nullptr;
  }
  return public_key("RSA", builder.get());
}

std::shared_ptr<EVP_PKEY> p256_key(JsonValue jwk) {
  const auto x = bytes_member(jwk, "x"), y = bytes_member(jwk, "y");
  if (!x || !y || x->size() != p256_bytes || y->size() != p256_bytes) return nullptr;
  const std::string point = "\x04" + *x + *y;
  const ParamsBuilder builder{OSSL_PARAM_BLD_new()};
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return public_key("EC", builder.get());
}

std::shared_ptr<EVP_PKEY> ed25519_key(JsonValue jwk) {
  const auto x = bytes_member(jwk, "x");
  if (!x || x->size() != ed25519_bytes) return nullptr;
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(*x), x->size()),
          EVP_PKEY_free};
}

/// The algorithm that a key is for. Nothing for a key that is left out.
std::optional<JwtAlgorithm> algorithm_of(JsonValue jwk) {
  const std::string_view type = text_member(jwk, "kty"), curve = text_member(jwk, "crv");
  std::optional<JwtAlgorithm> algorithm;
  if (type == "RSA") algorithm = JwtAlgorithm::rs256;
  if (type == "EC" && curve == "P-256") algorithm = JwtAlgorithm::es256;
  if (type == "OKP" && curve == "Ed25519") algorithm = JwtAlgorithm::eddsa;
  if (jwk.find("use") && text_member(jwk, "use") != "sig") return std::nullopt;
  if (jwk.find("alg") && jwt_algorithm(text_member(jwk, "alg")) != algorithm) return std::nullopt;
  return algorithm;
}

std::shared_ptr<EVP_PKEY> key_from(JsonValue jwk, JwtAlgorithm algorithm) {
  switch (algorithm) {
    case JwtAlgorithm::rs256:
      return rsa_key(jwk);
    case JwtAlgorithm::es256:
      return p256_key(jwk);
    case JwtAlgorithm::eddsa:
      return ed25519_key(jwk);
  }
  return nullptr;
}

Error bad_key(std::size_t number, std::string_view what) {
  return make_error(Errc::invalid_request,
                    "key " + std::to_string(number) + " " + std::string{what});
}

Result<> add_key(JsonValue jwk, std::size_t number, std::vector<JwtKey>& keys) {
  if (!jwk.is(JsonKind::object)) return bad_key(number, "is not an object");
  if (jwk.find("d") || jwk.find("k")) {
    return bad_key(number, "is private or secret; the file must have public keys only");
  }
  const auto algorithm = algorithm_of(jwk);
  if (!algorithm) return ok();
  JwtKey key{std::string{text_member(jwk, "kid")}, *algorithm, key_from(jwk, *algorithm)};
  ERR_clear_error();
  if (key.id.size() > id_bytes_max) return bad_key(number, "has a kid that is too long");
  if (!key.key) {
    return bad_key(number, "is not a sound public key (RSA needs 2048 to 8192 bits)");
  }
  const bool is_there = std::ranges::any_of(keys, [&key](const JwtKey& other) {
    return other.id == key.id && other.algorithm == key.algorithm;
  });
  if (is_there) return bad_key(number, "has the kid and the algorithm of another key");
  keys.push_back(std::move(key));
  return ok();
}

/// The signature of ES256 is two numbers of 32 bytes; OpenSSL wants them as a DER sequence.
std::string der_signature(std::string_view signature) {
  if (signature.size() != 2 * p256_bytes) return {};
  const Owned<ECDSA_SIG, ECDSA_SIG_free> pair{ECDSA_SIG_new()};
  Number r = number_from(signature.substr(0, p256_bytes));
  Number s = number_from(signature.substr(p256_bytes));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  r.release();  // The pair has them now.
  s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  if (size <= 0) return {};
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

}  // namespace

std::optional<JwtAlgorithm> jwt_algorithm(std::string_view name) noexcept {
  if (name == "RS256") return JwtAlgorithm::rs256;
  if (name == "ES256") return JwtAlgorithm::es256;
  if (name == "EdDSA") return JwtAlgorithm::eddsa;
  return std::nullopt;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string plain{text};
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  auto bytes = base64_decode(plain);
  if (!bytes) return std::nullopt;
  // The last character may have bits that belong to no byte. They have to be 0.
  std::string again = base64_encode(*bytes);
  again.resize(again.find_last_not_of('=') + 1);
  return again == plain ? bytes : std::nullopt;
}

Result<std::vector<JwtKey>> read_jwks(std::string_view text) {
  JsonTree tree;
  CONCERTO_CHECK(tree.parse(text));
  const auto list = tree.root().is(JsonKind::object) ? tree.root().find("keys") : std::nullopt;
  if (!list || !list->is(JsonKind::array)) {
    return make_error(Errc::invalid_request, "a JWK set is an object with an array 'keys'");
  }
  std::vector<JwtKey> keys;
  std::size_t number = 0;
  for (const JsonValue jwk : *list) {
    if (++number > keys_max) return bad_key(number, "is too much: 100 keys are the limit");
    CONCERTO_CHECK(add_key(jwk, number, keys));
  }
  if (keys.empty()) {
    return make_error(Errc::invalid_request,
                      "there is no key for RS256, ES256 or EdDSA with Ed25519");
  }
  return keys;
}

bool is_signed(std::string_view signed_text, std::string_view signature, const JwtKey& key) {
  std::string der;
  if (key.algorithm == JwtAlgorithm::es256) {
    der = der_signature(signature);
    signature = der;
  }
  const EVP_MD* const digest = key.algorithm == JwtAlgorithm::eddsa ? nullptr : EVP_sha256();
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
  const bool is_right =
      !signature.empty() && context &&
      EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.key.get()) == 1 &&
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(signed_text),
                       signed_text.size()) == 1;
  ERR_clear_error();
  return is_right;
}

}  // namespace concerto::net
