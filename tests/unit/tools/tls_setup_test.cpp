#include "tls_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certificate_expiry.hpp"
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

TEST_F(TlsSetup, KnowsWhenItsCertificatesAreOver) {
  const auto none = read_tls({});
  ASSERT_TRUE(none);
  EXPECT_THAT(expiries_of(*none), IsEmpty());
  const auto tls = read_tls(config());
  ASSERT_TRUE(tls);
  const auto expiries = expiries_of(*tls);
  ASSERT_EQ(expiries.size(), 1U) << "the branches are shown none";
  EXPECT_EQ(expiries.front().use, "server");
  std::tm parts{};
  ASSERT_EQ(ASN1_TIME_to_tm(X509_get0_notAfter(server_.x509.get()), &parts), 1);
  EXPECT_EQ(expiries.front().at_s, ::timegm(&parts));
}

TEST(CertificateWatch, WarnsThreeTimesBeforeTheEndAndThen) {
  constexpr std::time_t day = 24 * 60 * 60, end = 100 * day;
  std::vector<std::string> lines;
  CertificateWatch watch([&lines](const std::string& line) { lines.push_back(line); });
  watch.set({{"server", end}, {"branches", end + 300 * day}});
  const auto told_at = [&](std::time_t now) {
    lines.clear();
    watch.look(now);
    watch.look(now + 1);
    watch.set({{"branches", end + 300 * day}, {"server", end}});  // A reload changes nothing.
    watch.look(now + 2);
    return lines;
  };
  const std::string begin = "the certificate of the ports (Tls.CertFile)";
  EXPECT_THAT(told_at(end - 31 * day), IsEmpty());
  EXPECT_THAT(told_at(end - 30 * day), ElementsAre(begin + " expires in 30 days"));
  EXPECT_THAT(told_at(end - 8 * day), IsEmpty());
  EXPECT_THAT(told_at(end - 5 * day), ElementsAre(begin + " expires in 5 days"));
  EXPECT_THAT(told_at(end - day / 2), ElementsAre(begin + " expires in 12 hours"));
  EXPECT_THAT(told_at(end), ElementsAre(begin + " has expired"));
  EXPECT_THAT(told_at(end + 9 * day), IsEmpty());
  lines.clear();
  watch.set({{"server", end + 12 * day}});  // The next one is soon over, too.
  watch.look(end + 9 * day);
  EXPECT_THAT(lines, ElementsAre(begin + " expires in 3 days"));
}

}  // namespace
}  // namespace concerto::tools
