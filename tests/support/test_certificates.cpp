#include "test_certificates.hpp"

#include <cstdio>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace concerto::net::test {
namespace {

void add_extension(X509* x509, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  EXPECT_NE(extension, nullptr);
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make_unsigned(const CertificateForm& form) {
  Certificate made{{X509_new(), X509_free}, {EVP_EC_gen("P-256"), EVP_PKEY_free}};
  X509* x509 = made.x509.get();
  X509_set_version(x509, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), form.serial);
  X509_gmtime_adj(X509_getm_notBefore(x509), form.valid_from);
  X509_gmtime_adj(X509_getm_notAfter(x509), form.valid_until);
  X509_set_pubkey(x509, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(form.name.data()),
                             static_cast<int>(form.name.size()), -1, 0);
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
  CertificateForm form;
  form.name = name;
  form.serial = 1;
  Certificate made = make_unsigned(form);
  X509_set_issuer_name(made.x509.get(), X509_get_subject_name(made.x509.get()));
  add_extension(made.x509.get(), made.x509.get(), NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(made.x509.get(), made.key.get(), EVP_sha256());
  return made;
}

Certificate make_server_certificate(const Certificate& authority,
                                    const std::string& alternative_name) {
  CertificateForm form;
  form.name = "server";
  form.alternative_names = alternative_name;
  return make_certificate(authority, form);
}

Certificate make_certificate(const Certificate& authority, const CertificateForm& form) {
  Certificate made = make_unsigned(form);
  X509_set_issuer_name(made.x509.get(), X509_get_subject_name(authority.x509.get()));
  if (!form.alternative_names.empty()) {
    add_extension(made.x509.get(), authority.x509.get(), NID_subject_alt_name,
                  form.alternative_names);
  }
  X509_sign(made.x509.get(), authority.key.get(), EVP_sha256());
  return made;
}

std::string make_crl(const Certificate& authority, const std::vector<long>& serials,
                     long valid_until) {
  const std::unique_ptr<X509_CRL, decltype(&X509_CRL_free)> crl{X509_CRL_new(), X509_CRL_free};
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> since{X509_gmtime_adj(nullptr, -7200),
                                                                    ASN1_TIME_free};
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> until{
      X509_gmtime_adj(nullptr, valid_until), ASN1_TIME_free};
  X509_CRL_set_version(crl.get(), 1);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(authority.x509.get()));
  X509_CRL_set1_lastUpdate(crl.get(), since.get());
  X509_CRL_set1_nextUpdate(crl.get(), until.get());
  for (const long serial : serials) {
    X509_REVOKED* const revoked = X509_REVOKED_new();
    const std::unique_ptr<ASN1_INTEGER, decltype(&ASN1_INTEGER_free)> number{ASN1_INTEGER_new(),
                                                                             ASN1_INTEGER_free};
    ASN1_INTEGER_set(number.get(), serial);
    X509_REVOKED_set_serialNumber(revoked, number.get());
    X509_REVOKED_set_revocationDate(revoked, since.get());
    X509_CRL_add0_revoked(crl.get(), revoked);
  }
  X509_CRL_sort(crl.get());
  X509_CRL_sign(crl.get(), authority.key.get(), EVP_sha256());
  return written([&crl](BIO* out) { PEM_write_bio_X509_CRL(out, crl.get()); });
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
