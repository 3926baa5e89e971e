#pragma once

#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <gtest/gtest.h>

#include <concerto/base/async.hpp>
#include <concerto/transport/http_tls.hpp>

#include "test_certificates.hpp"
#include "tls_session.hpp"

namespace concerto::net::test {

using TlsContext = std::shared_ptr<asio::ssl::context>;

/// The files of a certificate authority and of its server `b.org`, and TLS contexts made from them.
class TlsFiles {
 public:
  TlsContext server(bool asks_for_certificates = false) const {
    const TlsServerFiles files{certificate_.path(), key_.path(),
                               asks_for_certificates ? ca_.path() : std::string{}};
    auto made = make_tls_server_context(files);
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }

  TlsContext client(bool shows_certificate = false) const {
    TlsClientFiles files{ca_.path(), {}, {}};
    if (shows_certificate) {
      files.certificate = certificate_.path();
      files.key = key_.path();
    }
    auto made = make_tls_client_context(files);
    EXPECT_TRUE(made) << made.error().detail;
    return *made;
  }

  const std::string& certificate() const noexcept { return certificate_.path(); }
  const std::string& key() const noexcept { return key_.path(); }

 private:
  const Certificate authority_ = make_authority("test authority");
  const Certificate made_ = make_server_certificate(authority_, "DNS:b.org");
  const PemFile ca_{authority_.pem()};
  const PemFile certificate_{made_.pem()};
  const PemFile key_{made_.key_pem()};
};

/// A TLS client that reads as slowly as a test wants.
class TlsPeer {
 public:
  using RawStream = asio::basic_stream_socket<asio::ip::tcp, Executor>;

  /// `first` is sent before everything else, in plain text.
  TlsPeer(Executor executor, const asio::ip::tcp::endpoint& to, TlsContext context, Alpn alpn,
          std::string first = {})
      : context_(std::move(context)),
        session_(*context_->native_handle(), alpn, "b.org"),
        socket_(std::move(executor)),
        unsent_(std::move(first)) {
    socket_.connect(to);
    socket_.non_blocking(true);
  }

  /// Sends everything that is ready and reads at most `bytes_max` from the socket.
  void exchange(std::size_t bytes_max = 16'384) {
    char bytes[16'384];
    error_code error;
    send_wire();
    const std::size_t count =
        socket_.read_some(asio::buffer(bytes, std::min(bytes_max, sizeof bytes)), error);
    saw_end_ = saw_end_ || (error && error != asio::error::would_block);
    if (count > 0) session_.put({bytes, count});
    while (failure_.empty()) {
      const auto clear = session_.read(bytes);
      if (!clear) failure_ = clear.error().detail;
      if (!clear || *clear == 0) break;
      received_.append(bytes, *clear);
    }
    send_wire();
  }

  void write(std::string_view clear) { EXPECT_TRUE(session_.write(clear)); }
  /// Sends the closing alert with the next exchange. Reading goes on.
  void end_writing() { session_.end(); }
  void close() { socket_.close(); }

  bool is_open() const { return session_.is_open(); }
  bool saw_end() const { return saw_end_; }
  const std::string& failure() const { return failure_; }
  const std::string& received() const { return received_; }

 private:
  void send_wire() {
    char bytes[4096];
    while (const std::size_t count = session_.pull(bytes)) unsent_.append(bytes, count);
    error_code error;
    if (!unsent_.empty()) unsent_.erase(0, socket_.write_some(asio::buffer(unsent_), error));
  }

  TlsContext context_;
  TlsSession session_;
  RawStream socket_;
  std::string unsent_;
  std::string received_;
  std::string failure_;
  bool saw_end_ = false;
};

}  // namespace concerto::net::test
