// The client's side of TLS against a server of OpenSSL, without a socket.

#include "tls_session.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>

#include "test_certificates.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;

template <class T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

/// An echo server that reads from one string and writes to another.
class EchoServer {
 public:
  explicit EchoServer(const Certificate& certificate)
      : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    SSL_CTX_use_certificate(context_.get(), certificate.x509.get());
    SSL_CTX_use_PrivateKey(context_.get(), certificate.key.get());
    SSL_CTX_set_alpn_select_cb(context_.get(), &EchoServer::select, nullptr);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
  }

  std::string answer(std::string_view wire) {
    BIO_write(SSL_get_rbio(ssl_.get()), wire.data(), static_cast<int>(wire.size()));
    char bytes[1000];
    for (int count = 1; count > 0;) {
      count = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (count > 0) SSL_write(ssl_.get(), bytes, count);
    }
    std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())), '\0');
    BIO_read(SSL_get_wbio(ssl_.get()), out.data(), static_cast<int>(out.size()));
    return out;
  }

  /// From now on tickets take several records.
  void make_large_tickets() {
    const auto fill = [](SSL* ssl, void*) {
      const std::string data(1000, 't');
      return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), data.data(), data.size());
    };
    SSL_CTX_set_session_ticket_cb(context_.get(), fill, nullptr, nullptr);
    SSL_set_max_send_fragment(ssl_.get(), 512);
  }

  /// Messages that ask for an answer each, and carry no application data.
  std::string new_keys(int count) {
    for (int i = 0; i < count; ++i) {
      SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED);
      SSL_do_handshake(ssl_.get());
    }
    return answer("");
  }

  std::string end() {
    SSL_shutdown(ssl_.get());
    return answer("");
  }

  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }
  std::string named() const {
    const char* const name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    return name ? name : "";
  }

 private:
  static int select(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* in,
                    unsigned, void*) {
    *out = in + 1;
    *size = in[0];
    return SSL_TLSEXT_ERR_OK;
  }

  Owned<SSL_CTX> context_;
  Owned<SSL> ssl_;
};

class TlsSessionTest : public testing::Test {
 protected:
  TlsSessionTest() : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority_.x509.get());
  }

  /// Everything that the client has to send.
  std::string pull() {
    std::string wire;
    char bytes[100];
    while (const std::size_t count = client_->pull(bytes)) wire.append(bytes, count);
    return wire;
  }

  /// Passes `wire` to the client in pieces and collects the decrypted bytes.
  Result<std::string> feed(std::string_view wire, std::size_t piece) {
    std::string clear;
    char bytes[50];
    for (std::size_t begin = 0; begin < wire.size(); begin += piece) {
      client_->put(wire.substr(begin, piece));
      for (;;) {
        CONCERTO_TRY(const std::size_t count, client_->read(bytes));
        if (count == 0) break;
        clear.append(bytes, count);
      }
    }
    return clear;
  }

  /// Exchanges bytes until neither side has more to send. Returns what the client read.
  Result<std::string> talk(std::size_t piece = 1'000'000) {
    std::string clear;
    for (std::string wire = pull(); !wire.empty(); wire = pull()) {
      CONCERTO_TRY(const std::string part, feed(server_.answer(wire), piece));
      clear += part;
    }
    return clear;
  }

  void begin(const std::string& host) { client_.emplace(*context_, Alpn::http_2, host); }

  const Certificate authority_ = make_authority("test authority");
  Owned<SSL_CTX> context_;
  EchoServer server_{make_server_certificate(authority_, "DNS:b.org,IP:127.0.0.1")};
  std::optional<TlsSession> client_;
};

TEST_F(TlsSessionTest, CarriesBytesBothWays) {
  begin("b.org");
  EXPECT_FALSE(client_->is_open());
  ASSERT_TRUE(talk());
  EXPECT_TRUE(client_->is_open());
  EXPECT_EQ(server_.protocol(), "h2");
  EXPECT_EQ(server_.named(), "b.org");
  const std::string large(300'000, 'x');
  ASSERT_TRUE(client_->write(large));
  EXPECT_EQ(talk().value(), large);
}

TEST_F(TlsSessionTest, IsOpenAndDoesNotWriteWhileAMessageOfThePeerIsIncomplete) {
  server_.make_large_tickets();
  begin("b.org");
  ASSERT_TRUE(feed(server_.answer(pull()), 1'000'000));
  const std::string tickets = server_.answer(pull());
  ASSERT_GT(tickets.size(), 1000U);
  const auto first =
      5U + 256U * static_cast<unsigned char>(tickets[3]) + static_cast<unsigned char>(tickets[4]);
  ASSERT_TRUE(feed(tickets.substr(0, first), first));
  EXPECT_TRUE(client_->is_open());
  const auto refused = client_->write("x");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("incomplete"));
  ASSERT_TRUE(feed(tickets.substr(first), 1'000'000));
  EXPECT_TRUE(client_->write("x"));
}

TEST_F(TlsSessionTest, EndsWithAPeerThatSendsMessagesWithoutEnd) {
  begin("b.org");
  ASSERT_TRUE(talk());
  EXPECT_TRUE(feed(server_.new_keys(100), 16'384));
  ASSERT_TRUE(client_->write("data between them is enough"));
  ASSERT_TRUE(talk());
  const auto ended = feed(server_.new_keys(5'000), 16'384);
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().detail, HasSubstr("without application data"));
}

TEST(TlsServerSession, RefusesAClientHelloByItsLength) {
  const Owned<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  TlsSession session(*context, Alpn::http_2);
  using namespace std::string_view_literals;
  for (const char byte : "\x16\x03\x01\x00\x04\x01\x01\xff"sv) {
    session.put({&byte, 1});
    EXPECT_TRUE(session.handshake());
  }
  session.put("\xb8");
  const auto refused = session.handshake();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, HasSubstr("ClientHello of 131000 bytes"));
}

TEST_F(TlsSessionTest, TakesInputByteByByte) {
  begin("b.org");
  ASSERT_TRUE(talk(1));
  ASSERT_TRUE(client_->write("one by one"));
  EXPECT_EQ(talk(1).value(), "one by one");
}

TEST_F(TlsSessionTest, TakesNoErrorOfOthersForItsOwn) {
  begin("b.org");
  ASSERT_TRUE(talk());
  ASSERT_TRUE(client_->write("clear"));
  const std::string answer = server_.answer(pull());
  ERR_raise(ERR_LIB_USER, ERR_R_MALLOC_FAILURE);
  EXPECT_EQ(feed(answer, 1).value(), "clear");
}

TEST_F(TlsSessionTest, VerifiesAServerByItsAddress) {
  begin("127.0.0.1");
  ASSERT_TRUE(talk());
  EXPECT_TRUE(client_->is_open());
  EXPECT_EQ(server_.named(), "");
}

TEST_F(TlsSessionTest, RefusesAnotherNameAndAddress) {
  for (const char* host : {"c.org", "127.0.0.2"}) {
    EchoServer server{make_server_certificate(authority_, "DNS:b.org,IP:127.0.0.1")};
    begin(host);
    const auto read = feed(server.answer(pull()), 1'000'000);
    ASSERT_FALSE(read) << host;
    EXPECT_THAT(read.error().detail, HasSubstr("mismatch"));
    EXPECT_FALSE(client_->is_open());
    EXPECT_TRUE(client_->pending_bytes() > 0) << "the alert";
  }
}

TEST_F(TlsSessionTest, RefusesAnUnknownAuthority) {
  EchoServer other{make_server_certificate(make_authority("another authority"), "DNS:b.org")};
  begin("b.org");
  const auto read = feed(other.answer(pull()), 1'000'000);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail, HasSubstr("certificate verify failed: "));
}

TEST_F(TlsSessionTest, SaysThatTheServerDoesNotSpeakTls) {
  begin("b.org");
  const auto read = feed("HTTP/1.1 400 Bad Request\r\n\r\n", 1'000'000);
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().detail, HasSubstr("does it speak TLS?"));
}

TEST_F(TlsSessionTest, ReportsTheClosingAlert) {
  begin("b.org");
  ASSERT_TRUE(talk());
  const auto read = feed(server_.end(), 1'000'000);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().detail, "closed by the peer");
}

TEST_F(TlsSessionTest, RefusesABrokenRecord) {
  begin("b.org");
  ASSERT_TRUE(talk());
  ASSERT_TRUE(client_->write("some bytes"));
  std::string wire = server_.answer(pull());
  wire.back() = static_cast<char>(wire.back() ^ 1);
  EXPECT_FALSE(feed(wire, 1'000'000));
}

}  // namespace
}  // namespace concerto::net::test
