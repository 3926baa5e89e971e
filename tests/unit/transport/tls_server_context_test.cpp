// What servers accept over TLS: versions, ciphers, and the certificates of clients. Both ends are
// sessions without a socket.

#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/transport/http_tls.hpp>
#include <concerto/transport/peer_certificate.hpp>

#include "test_certificates.hpp"
#include "tls_session.hpp"

namespace concerto::net::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

struct Shaken {
  std::string failure;  ///< the server's; empty if the session is open
  std::shared_ptr<const PeerCertificate> certificate;
};

/// Moves what one session wants to send to the other one.
void carry(TlsSession& from, TlsSession& to) {
  char bytes[4096];
  while (const std::size_t count = from.pull(bytes)) to.put({bytes, count});
}

Shaken shake_hands(TlsContext server_context, TlsContext client_context) {
  TlsSession client(*client_context->native_handle(), Alpn::http_2, "b.org");
  TlsSession server(*server_context->native_handle(), Alpn::http_2);
  Shaken shaken;
  char bytes[100];
  for (int rounds = 0; rounds < 10 && shaken.failure.empty(); ++rounds) {
    carry(client, server);
    if (const auto read = server.read(bytes); !read) shaken.failure = read.error().detail;
    carry(server, client);
    if (!client.read(bytes)) break;
  }
  if (shaken.failure.empty() && !server.is_open()) shaken.failure = "not complete";
  shaken.certificate = server.peer_certificate();
  return shaken;
}

class TlsServerContext : public testing::Test {
 protected:
  TlsServerFiles server_files(ClientCertificates kind = ClientCertificates::required) const {
    TlsServerFiles files;
    files.certificate = server_file_.path();
    files.key = server_key_file_.path();
    files.client_ca = ca_file_.path();
    files.client_certificates = kind;
    return files;
  }

  static TlsContext server(const TlsServerFiles& files) {
    auto made = make_tls_server_context(files);
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }

  TlsContext client() const {
    auto made = make_tls_client_context({ca_file_.path(), {}, {}});
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }

  TlsContext client(const Certificate& shown) const {
    const PemFile certificate{shown.pem()};
    const PemFile key{shown.key_pem()};
    auto made = make_tls_client_context({ca_file_.path(), certificate.path(), key.path()});
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }

  Certificate application(const std::string& name, const std::string& alternative_names = {},
                          long serial = 7) const {
    CertificateForm form;
    form.name = name;
    form.alternative_names = alternative_names;
    form.serial = serial;
    return make_certificate(authority_, form);
  }

  const Certificate authority_ = make_authority("test authority");
  const Certificate server_ = make_server_certificate(authority_, "DNS:b.org");
  const PemFile ca_file_{authority_.pem()};
  const PemFile server_file_{server_.pem()};
  const PemFile server_key_file_{server_.key_pem()};
};

TEST_F(TlsServerContext, NamesTheClientOfACertificate) {
  const Certificate shown =
      application("shop", "DNS:shop.b.org,DNS:shop,URI:spiffe://b.org/shop,email:shop@b.org");
  const Shaken shaken = shake_hands(server(server_files()), client(shown));
  ASSERT_THAT(shaken.failure, IsEmpty());
  ASSERT_NE(shaken.certificate, nullptr);
  EXPECT_EQ(shaken.certificate->common_name, "shop");
  EXPECT_THAT(shaken.certificate->dns_names, ElementsAre("shop.b.org", "shop"));
  EXPECT_THAT(shaken.certificate->uris, ElementsAre("spiffe://b.org/shop"));
  EXPECT_THAT(shaken.certificate->emails, ElementsAre("shop@b.org"));
  EXPECT_THAT(shaken.certificate->sha256, testing::MatchesRegex("[0-9a-f]{64}"));
}

TEST_F(TlsServerContext, LeavesOutNamesThatCouldDeceive) {
  const std::string name{"shop\0.evil", 10};
  const Shaken shaken = shake_hands(server(server_files()), client(application(name)));
  ASSERT_NE(shaken.certificate, nullptr) << shaken.failure;
  EXPECT_EQ(shaken.certificate->common_name, "");
}

TEST_F(TlsServerContext, ServesAClientWithoutACertificateOnlyIfItIsOptional) {
  const Shaken refused = shake_hands(server(server_files()), client());
  EXPECT_THAT(refused.failure, HasSubstr("peer did not return a certificate"));
  const Shaken served = shake_hands(server(server_files(ClientCertificates::optional)), client());
  EXPECT_THAT(served.failure, IsEmpty());
  EXPECT_EQ(served.certificate, nullptr);
}

TEST_F(TlsServerContext, NeedsNoCertificateWithoutAnAuthority) {
  TlsServerFiles files = server_files();
  files.client_ca.clear();
  const Shaken shaken = shake_hands(server(files), client(application("shop")));
  EXPECT_THAT(shaken.failure, IsEmpty());
  EXPECT_EQ(shaken.certificate, nullptr) << "nobody has verified it";
}

TEST_F(TlsServerContext, RefusesCertificatesThatAreNotValidEvenIfTheyAreOptional) {
  CertificateForm early;
  early.name = "shop";
  early.valid_from = 1800;
  CertificateForm late = early;
  late.valid_from = -3600;
  late.valid_until = -60;
  const Certificate other = make_authority("another authority");
  CertificateForm strange = late;
  strange.valid_until = 3600;
  const TlsContext context = server(server_files(ClientCertificates::optional));
  const auto why = [&](const Certificate& shown) {
    return shake_hands(context, client(shown)).failure;
  };
  EXPECT_THAT(why(make_certificate(authority_, early)), HasSubstr("not yet valid"));
  EXPECT_THAT(why(make_certificate(authority_, late)), HasSubstr("has expired"));
  EXPECT_THAT(why(make_certificate(other, strange)), HasSubstr("certificate"));
}

TEST_F(TlsServerContext, RefusesRevokedCertificates) {
  const PemFile crl{make_crl(authority_, {8, 9})};
  TlsServerFiles files = server_files();
  files.client_crl = crl.path();
  const TlsContext context = server(files);
  EXPECT_THAT(shake_hands(context, client(application("good", {}, 7))).failure, IsEmpty());
  EXPECT_THAT(shake_hands(context, client(application("bad", {}, 9))).failure,
              HasSubstr("certificate revoked"));
}

TEST_F(TlsServerContext, RefusesEverybodyWithoutAValidListOfTheAuthority) {
  const PemFile of_another{make_crl(make_authority("another authority"), {})};
  const PemFile out_of_date{make_crl(authority_, {}, -60)};
  TlsServerFiles files = server_files();
  files.client_crl = of_another.path();
  EXPECT_THAT(shake_hands(server(files), client(application("shop"))).failure,
              HasSubstr("unable to get certificate CRL"));
  files.client_crl = out_of_date.path();
  EXPECT_THAT(shake_hands(server(files), client(application("shop"))).failure,
              HasSubstr("CRL has expired"));
}

TEST_F(TlsServerContext, SpeaksTls12And13Alone) {
  const TlsContext context = server(server_files(ClientCertificates::optional));
  const auto failure_with = [&](int version) {
    const TlsContext old = client();
    SSL_CTX_set_security_level(old->native_handle(), 0);
    SSL_CTX_set_cipher_list(old->native_handle(), "ALL");
    SSL_CTX_set_min_proto_version(old->native_handle(), version);
    SSL_CTX_set_max_proto_version(old->native_handle(), version);
    return shake_hands(context, old).failure;
  };
  EXPECT_THAT(failure_with(TLS1_1_VERSION), HasSubstr("protocol"));
  EXPECT_THAT(failure_with(TLS1_2_VERSION), IsEmpty());
  EXPECT_THAT(failure_with(TLS1_3_VERSION), IsEmpty());
}

TEST_F(TlsServerContext, HasNoCipherWithoutForwardSecrecyOrAuthentication) {
  const TlsContext context = server(server_files(ClientCertificates::optional));
  const auto failure_with = [&](const char* ciphers) {
    const TlsContext picky = client();
    SSL_CTX_set_max_proto_version(picky->native_handle(), TLS1_2_VERSION);
    EXPECT_EQ(SSL_CTX_set_cipher_list(picky->native_handle(), ciphers), 1) << ciphers;
    return shake_hands(context, picky).failure;
  };
  EXPECT_THAT(failure_with("ECDHE-ECDSA-AES128-GCM-SHA256"), IsEmpty());
  for (const char* weak :
       {"ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA"}) {
    EXPECT_THAT(failure_with(weak), HasSubstr("no shared cipher")) << weak;
  }
}

TEST_F(TlsServerContext, NamesTheFileThatCannotBeUsed) {
  const PemFile broken{"not a certificate"};
  const PemFile other_key{application("other").key_pem()};
  const auto why_not = [&](auto change) {
    TlsServerFiles files = server_files();
    change(files);
    const auto made = make_tls_server_context(files);
    return made ? std::string{} : made.error().detail;
  };
  using Files = TlsServerFiles;
  EXPECT_THAT(why_not([&](Files& files) { files.certificate = broken.path(); }),
              HasSubstr(broken.path()));
  EXPECT_THAT(why_not([&](Files& files) { files.key = other_key.path(); }),
              HasSubstr("'" + other_key.path() + "': key values mismatch"));
  EXPECT_THAT(why_not([&](Files& files) { files.client_ca = "/nowhere"; }), HasSubstr("/nowhere"));
  EXPECT_THAT(why_not([&](Files& files) { files.client_crl = broken.path(); }),
              HasSubstr("revoked certificates from '" + broken.path()));
}

}  // namespace
}  // namespace concerto::net::test
