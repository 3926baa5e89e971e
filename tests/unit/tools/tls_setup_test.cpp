#include "tls_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_certificates.hpp"

namespace concerto::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> errors_of(const std::string& yaml) {
  return load_config(yaml, [](const std::string&) { return std::nullopt; }).findings.errors;
}

struct RefusedTlsCase {
  const char* name;
  const char* yaml;
  const char* error;
};

void PrintTo(const RefusedTlsCase& row, std::ostream* out) {
  *out << row.name;
}

class RefusedTls : public testing::TestWithParam<RefusedTlsCase> {};

TEST_P(RefusedTls, SaysWhatIsWrong) {
  EXPECT_THAT(errors_of(GetParam().yaml), ElementsAre(HasSubstr(GetParam().error)));
}

const RefusedTlsCase refused_tls_cases[] = {
    {"NoKey", "Tls: {CertFile: c.pem}", "go together, but only Tls.CertFile is set"},
    {"NoCertificate", "Tls: {KeyFile: k.pem}", "go together, but only Tls.KeyFile is set"},
    {"NoFile", "Tls: {CertFile: /none.pem, KeyFile: /none.key}",
     "Tls: cannot load a certificate from '/none.pem'"},
    {"UnknownAuth", "Tls: {ClientAuth: maybe}",
     "expected none, optional or required, found 'maybe'"},
    {"NobodyCertifies", "Tls: {CertFile: c, KeyFile: k, ClientAuth: required}",
     "Tls.ClientCaFile does not say who certifies clients"},
    {"NobodyIsAsked", "Tls: {CertFile: c, KeyFile: k, ClientCaFile: ca}",
     "Tls.ClientCaFile is set, but Tls.ClientAuth is none"},
    {"NobodyIsAskedForRevokedOnes", "Tls: {CertFile: c, KeyFile: k, ClientCrlFile: crl}",
     "Tls.ClientCrlFile is set, but Tls.ClientAuth is none"},
    {"PlainText", "Tls: {ClientAuth: required, ClientCaFile: ca}",
     "without Tls.CertFile they speak plain text"},
    {"BranchKey", "BranchTls: {CertFile: c.pem}", "only BranchTls.CertFile is set"},
    {"BranchCa", "BranchTls: {CaFile: /none.pem}",
     "BranchTls.CertFile): cannot load certificates from '/none.pem'"},
    {"TargetWithPort", "BranchTls: {GrpcTargets: 'b.org,c.org:80'}", "found 'c.org:80'"},
};

INSTANTIATE_TEST_SUITE_P(Config, RefusedTls, testing::ValuesIn(refused_tls_cases),
                         [](const auto& row) { return std::string(row.param.name); });

class TlsSetup : public testing::Test {
 protected:
  Config config() const {
    Config config;
    config.tls.cert_file = certificate_.path();
    config.tls.key_file = key_.path();
    config.tls.client_auth = "optional";
    config.tls.client_ca_file = ca_.path();
    config.branch_tls.ca_file = ca_.path();
    return config;
  }

  const net::test::Certificate authority_ = net::test::make_authority("test authority");
  const net::test::Certificate server_ =
      net::test::make_server_certificate(authority_, "DNS:b.org");
  const net::test::PemFile ca_{authority_.pem()};
  const net::test::PemFile certificate_{server_.pem()};
  const net::test::PemFile key_{server_.key_pem()};
};

TEST_F(TlsSetup, ReadsTheFiles) {
  const auto tls = read_tls(config());
  ASSERT_TRUE(tls) << tls.error().detail;
  EXPECT_NE(tls->ports, nullptr);
  EXPECT_NE(tls->branches, nullptr);
  EXPECT_EQ(tls->etcd, nullptr);
  EXPECT_THAT(describe_tls(config(), *tls), HasSubstr(" over TLS as CN=server valid until "));
  Findings findings;
  check_tls(config(), findings);
  EXPECT_THAT(findings.errors, IsEmpty());
}

TEST_F(TlsSetup, IsForBranchesAloneByDefault) {
  const auto tls = read_tls({});
  ASSERT_TRUE(tls) << tls.error().detail;
  EXPECT_EQ(tls->ports, nullptr);
  EXPECT_NE(tls->branches, nullptr);
  EXPECT_EQ(describe_tls({}, *tls), "");
  EXPECT_THAT(tls_files({}), IsEmpty());
}

TEST_F(TlsSetup, WatchesTheFilesOfAllSections) {
  Config with_etcd = config();
  with_etcd.micro_service.target = "etcd://h:2379/k?caCert=/etcd/ca.pem&keyFile=/etcd/key.pem";
  EXPECT_THAT(tls_files(with_etcd), ElementsAre(certificate_.path(), key_.path(), ca_.path(),
                                                ca_.path(), "/etcd/ca.pem", "/etcd/key.pem"));
}

}  // namespace
}  // namespace concerto::tools
