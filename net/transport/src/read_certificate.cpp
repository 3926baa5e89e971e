#include "read_certificate.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string_view>

#include <openssl/x509v3.h>

namespace concerto::net {
namespace {

/// Further names are left out. The certificate is kept as long as its connection.
constexpr int alternative_names_max = 100;

std::string clean_text(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, text);
  if (size < 0) return {};
  std::string result(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  return std::ranges::any_of(result, is_control) ? std::string{} : result;
}

std::string common_name(const X509_NAME* subject) {
  const int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (first < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0) return {};
  return clean_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first)));
}

/// The list that a name of this kind belongs to; null for kinds that nobody asks for.
std::vector<std::string>* list_of(int kind, PeerCertificate& certificate) {
  switch (kind) {
    case GEN_DNS:
      return &certificate.dns_names;
    case GEN_URI:
      return &certificate.uris;
    case GEN_EMAIL:
      return &certificate.emails;
    default:
      return nullptr;
  }
}

void read_alternative_names(const X509& x509, PeerCertificate& certificate) {
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&x509, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free};
  const int count = std::min(names ? sk_GENERAL_NAME_num(names.get()) : 0, alternative_names_max);
  for (int i = 0; i < count; ++i) {
    int kind = 0;
    const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &kind);
    std::vector<std::string>* const list = list_of(kind, certificate);
    if (list == nullptr) continue;
    std::string text = clean_text(static_cast<const ASN1_STRING*>(value));
    if (!text.empty()) list->push_back(std::move(text));
  }
}

std::string fingerprint(const X509& x509) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned count = 0;
  if (X509_digest(&x509, EVP_sha256(), bytes.data(), &count) != 1) throw std::bad_alloc();
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    text += digits[bytes[i] >> 4U];
    text += digits[bytes[i] & 0xFU];
  }
  return text;
}

}  // namespace

PeerCertificate read_certificate(const X509& x509) {
  PeerCertificate certificate;
  certificate.common_name = common_name(X509_get_subject_name(&x509));
  read_alternative_names(x509, certificate);
  certificate.sha256 = fingerprint(x509);
  return certificate;
}

}  // namespace concerto::net
