// What a peer of TLS cannot make the coordinator do: reserve memory for what it announces, go on
// with a session whose certificate nobody verifies again, agree on a weak cipher.

#include <memory>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hello_check.hpp"
#include "tls_files.hpp"

namespace concerto::net::test {
namespace {

using namespace std::string_view_literals;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view hello_of_100_000_bytes = "\x16\x03\x03\x00\x04\x01\x01\x86\xa0"sv;

/// A client of OpenSSL that does what a test wants.
class RawClient {
 public:
  explicit RawClient(const TlsContext& context)
      : ssl_(SSL_new(context->native_handle()), SSL_free) {
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_.get());
  }

  SSL* ssl() const { return ssl_.get(); }

  /// Goes on, and returns what is to be sent.
  std::string go_on() {
    char byte = 0;
    SSL_read(ssl_.get(), &byte, 1);
    std::string wire(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())), '\0');
    BIO_read(SSL_get_wbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
    return wire;
  }

  void put(std::string_view wire) {
    BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
  }

 private:
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
};

/// What the server says of these bytes; empty if it goes on.
std::string failure_at(TlsSession& server, std::string_view wire) {
  char bytes[100];
  server.put(wire);
  const auto read = server.read(bytes);
  return read ? std::string{} : read.error().detail;
}

/// Lets both talk to the end. Returns why the server failed.
std::string talk(RawClient& client, TlsSession& server) {
  for (;;) {
    const std::string wire = client.go_on();
    if (wire.empty()) return server.is_open() ? "" : "not complete";
    if (std::string failure = failure_at(server, wire); !failure.empty()) return failure;
    char bytes[16'384];
    while (const std::size_t count = server.pull(bytes)) client.put({bytes, count});
  }
}

class TlsPeerLimits : public testing::Test {
 protected:
  TlsContext client_of(int version, bool shows_certificate = false) const {
    TlsContext context = files_.client(shows_certificate);
    SSL_CTX_set_max_proto_version(context->native_handle(), version);
    return context;
  }

  /// Whether a second connection goes on with the session of a first one.
  bool resumes(int version, bool asks_for_certificates) const {
    const TlsContext context = files_.server(asks_for_certificates);
    const TlsContext client_context = client_of(version, asks_for_certificates);
    RawClient first(client_context);
    TlsSession to_first(*context->native_handle(), Alpn::http_2);
    EXPECT_THAT(talk(first, to_first), IsEmpty());
    RawClient second(client_context);
    TlsSession to_second(*context->native_handle(), Alpn::http_2);
    SSL_set_session(second.ssl(), SSL_get_session(first.ssl()));
    EXPECT_THAT(talk(second, to_second), IsEmpty());
    EXPECT_EQ(to_second.peer_certificate() != nullptr, asks_for_certificates);
    return SSL_session_reused(second.ssl()) == 1;
  }

  const TlsFiles files_;
};

TEST_F(TlsPeerLimits, HoldForTheClientHelloAfterAHelloRetryRequest) {
  const TlsContext context = files_.server();
  SSL_CTX_set1_groups_list(context->native_handle(), "P-384");
  const TlsContext client_context = files_.client();
  SSL_CTX_set1_groups_list(client_context->native_handle(), "X25519:P-384");
  RawClient good(client_context);
  TlsSession served(*context->native_handle(), Alpn::http_2);
  EXPECT_THAT(talk(good, served), IsEmpty());
  RawClient bad(client_context);
  TlsSession server(*context->native_handle(), Alpn::http_2);
  EXPECT_THAT(failure_at(server, bad.go_on()), IsEmpty());
  ASSERT_GT(server.pending_bytes(), 0U);
  EXPECT_THAT(failure_at(server, "\x14\x03\x03\x00\x01\x01"sv), IsEmpty());
  EXPECT_THAT(failure_at(server, hello_of_100_000_bytes), HasSubstr("ClientHello of 100000 bytes"));
}

TEST_F(TlsPeerLimits, RefuseAFirstRecordThatDoesNotBeginAHandshake) {
  const TlsContext context = files_.server();
  const std::string_view alert = "\x15\x03\x01\x00\x02\x01\x5a"sv;
  const std::string_view part = "\x16\x03\x01\x00\x02\x01\x01"sv;
  const std::string_view old_hello = "\x80\x2e\x01\x03\x03\x00\x15\x00"sv;
  for (const std::string_view first : {alert, part, old_hello}) {
    TlsSession server(*context->native_handle(), Alpn::http_2);
    EXPECT_THAT(failure_at(server, std::string(first).append(hello_of_100_000_bytes)),
                HasSubstr("does not begin a handshake"));
    EXPECT_FALSE(failure_at(server, "more").empty());
  }
}

TEST(HelloCheck, ReadsLengthsAcrossRecordsAndPieces) {
  // A message of one byte and the type of the next one; an alert; a part of its length; the rest.
  const std::string_view wire =
      "\x16\x03\x01\x00\x06\x01\x00\x00\x01z\x01\x15\x03\x01\x00\x02\x01\x5a"
      "\x16\x03\x01\x00\x02\x00\x40\x16\x03\x01\x00\x01"sv;
  HelloCheck check;
  for (const char byte : wire) EXPECT_THAT(check.take({&byte, 1}), IsEmpty());
  HelloCheck same = check;
  EXPECT_THAT(same.take("\x00"sv), IsEmpty());
  EXPECT_EQ(check.take("\x01"sv), "a ClientHello of 16385 bytes");
}

TEST_F(TlsPeerLimits, RefuseALargeChainOfCertificates) {
  const TlsContext context = files_.server(true);
  const Certificate link = make_authority("one of many");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsContext client_context = client_of(version, true);
    for (int i = 0; i < 120; ++i) {
      SSL_CTX_add1_chain_cert(client_context->native_handle(), link.x509.get());
    }
    RawClient client(client_context);
    TlsSession server(*context->native_handle(), Alpn::http_2);
    EXPECT_THAT(talk(client, server), HasSubstr("excessive message size")) << version;
  }
}

TEST_F(TlsPeerLimits, RefuseALargeChainOfAServer) {
  const Certificate link = make_authority("one of many");
  for (const int links : {0, 120}) {
    const TlsContext context = files_.server();
    for (int i = 0; i < links; ++i) {
      SSL_CTX_add1_chain_cert(context->native_handle(), link.x509.get());
    }
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      RawClient client(client_of(version));
      TlsSession server(*context->native_handle(), Alpn::http_2);
      talk(client, server);
      EXPECT_EQ(SSL_is_init_finished(client.ssl()), links == 0 ? 1 : 0) << version;
    }
  }
}

TEST_F(TlsPeerLimits, RefuseALaterClientHelloThatDoesNotEnd) {
  const TlsContext context = files_.server();
  const TlsContext client_context = client_of(TLS1_2_VERSION);
  const auto fill = [](SSL*, unsigned, const unsigned char** data, std::size_t* size, int*, void*) {
    static const unsigned char zeros[1000] = {};
    *data = zeros;
    *size = sizeof zeros;
    return 1;
  };
  constexpr unsigned unknown_extension = 65'000;
  SSL_CTX_add_client_custom_ext(client_context->native_handle(), unknown_extension, fill, nullptr,
                                nullptr, nullptr, nullptr);
  for (const bool is_whole : {true, false}) {
    RawClient client(client_context);
    TlsSession server(*context->native_handle(), Alpn::http_2);
    SSL_set_max_send_fragment(client.ssl(), 512);
    ASSERT_THAT(talk(client, server), IsEmpty());
    SSL_renegotiate(client.ssl());
    SSL_do_handshake(client.ssl());
    const std::string wire = client.go_on();
    ASSERT_GT(wire.size(), 1000U);
    const std::string failure = failure_at(server, is_whole ? wire : wire.substr(0, 700));
    EXPECT_EQ(failure, is_whole ? "" : "TLS: the peer begins another handshake");
  }
}

TEST_F(TlsPeerLimits, ResumeNoSessionWhereClientsAreAskedForCertificates) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    EXPECT_TRUE(resumes(version, false)) << version;
    EXPECT_FALSE(resumes(version, true)) << version;
  }
}

TEST_F(TlsPeerLimits, LetAServerChooseNoWeakCipher) {
  const TlsContext client_context = client_of(TLS1_2_VERSION);
  STACK_OF(SSL_CIPHER)* const ciphers = SSL_CTX_get_ciphers(client_context->native_handle());
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const SSL_CIPHER* const cipher = sk_SSL_CIPHER_value(ciphers, i);
    EXPECT_TRUE(SSL_CIPHER_is_aead(cipher)) << SSL_CIPHER_get_name(cipher);
    EXPECT_NE(SSL_CIPHER_get_kx_nid(cipher), NID_kx_rsa) << SSL_CIPHER_get_name(cipher);
  }
  const TlsContext context = files_.server();
  for (const char* weak : {"ECDHE-ECDSA-AES128-SHA", "AES128-SHA"}) {
    SSL_CTX_set_cipher_list(context->native_handle(), weak);
    RawClient client(client_context);
    TlsSession server(*context->native_handle(), Alpn::http_2);
    EXPECT_THAT(talk(client, server), HasSubstr("no shared cipher")) << weak;
  }
}

}  // namespace
}  // namespace concerto::net::test
