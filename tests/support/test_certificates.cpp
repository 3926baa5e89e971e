#include "test_certificates.hpp"

#include <cstdio>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace concerto::net::test {
namespace {

constexpr long valid_seconds = 3600;

void add_extension(X509* x509, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  EXPECT_NE(extension, nullptr);
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_unsigned(const std::string& name, long serial) {
  Certificate made{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  X509* x509 = made.x509.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), -valid_seconds);
  X509_gmtime_adj(X509_getm_notAfter(x509), valid_seconds);
  X509_set_pubkey(x509, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  return made;
}

template <class Write>
std::string written(Write write) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), BIO_free};
  write(out.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

std::string Certificate::pem() const {
  return written([this](BIO* out) { PEM_write_bio_X509(out, x509.get()); });
}

std::string Certificate::key_pem() const {
  return written([this](BIO* out) {
    PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Certificate make_authority(const std::string& name) {
  Certificate made = make_unsigned(name, 1);
  X509_set_issuer_name(made.x509.get(), X509_get_subject_name(made.x509.get()));
  add_extension(made.x509.get(), made.x509.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(made.x509.get(), made.key.get(), EVP_sha256());
  return made;
}

Certificate make_server_certificate(const Certificate& authority,
                                    const std::string& alternative_name) {
  Certificate made = make_unsigned("server", 2);
  X509_set_issuer_name(made.x509.get(), X509_get_subject_name(authority.x509.get()));
  add_extension(made.x509.get(), authority.x509.get(), NID_subject_alt_name, alternative_name);
  X509_sign(made.x509.get(), authority.key.get(), EVP_sha256());
  return made;
}

PemFile::PemFile(const std::string& text) {
  static int count = 0;
  path_ = testing::TempDir() + "concerto_pem_" + std::to_string(::getpid()) + "_" +
          std::to_string(++count);
  std::ofstream{path_} << text;
}

PemFile::~PemFile() {
  std::remove(path_.c_str());
}

}  // namespace concerto::net::test
