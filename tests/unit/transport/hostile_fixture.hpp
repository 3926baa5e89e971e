#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "grpc_fixture.hpp"
#include "http2/header_block.hpp"
#include "session_pair.hpp"

namespace concerto::net {

using RawSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

/// A server that is attacked with raw bytes. After each attack a correct call has to succeed.
class Hostile : public GrpcTest {
 protected:
  void start(GrpcServerOptions options = {}) {
    make_server(options).add_unary("/test.S/Echo", echo);
    listen();
    make_channel();
  }

  RawSocket connect() {
    RawSocket socket(executor());
    socket.connect(address);
    socket.non_blocking(true);
    return socket;
  }

  /// True once the server has ended the connection.
  static bool ended(RawSocket& socket) {
    char buffer[4096];
    error_code error;
    while (socket.read_some(asio::buffer(buffer), error) > 0) {
    }
    return error && error != asio::error::would_block;
  }

  void send(RawSocket& socket, std::string_view bytes) {
    error_code error;
    while (!bytes.empty() && error != asio::error::broken_pipe &&
           error != asio::error::connection_reset) {
      bytes.remove_prefix(socket.write_some(asio::buffer(bytes), error));
      io.poll();
      io.restart();
    }
  }

  static Task<GrpcStatus> wait_for_the_end(GrpcServerStream& stream, Notifier& end) {
    while (!stream.cancelled()) co_await end.wait();
    co_return GrpcStatus{};
  }

  static Task<GrpcReply> large_reply() { co_return GrpcReply::success(std::string(130'000, 'x')); }

  void expect_ended(RawSocket& socket) {
    run_until([&] { return ended(socket); });
    expect_served();
  }

  void expect_served() {
    const GrpcReply reply = call("/test.S/Echo", "still here");
    EXPECT_TRUE(reply.ok()) << describe(reply.status);
  }
};

/// An attacker's side of a connection, which opens calls.
class Attacker {
 public:
  explicit Attacker(RawSocket socket, const http2::SessionOptions& options = {})
      : client_(http2::Side::client, options), socket_(std::move(socket)) {}

  http2::RecordingStream& open(const char* path) {
    http2::HeaderBlock block;
    block.add_fixed(":method", "POST");
    block.add_fixed(":scheme", "http");
    block.add_fixed(":path", path);
    block.add_fixed(":authority", "x");
    block.add_fixed("content-type", "application/grpc");
    streams_.emplace_back(new http2::RecordingStream());
    EXPECT_TRUE(client_.session.request(*streams_.back(), block));
    return *streams_.back();
  }

  /// Sends and receives once. The server's io_context has to run between two calls.
  void exchange() {
    char buffer[16'384];
    error_code error;
    const auto count = socket_.read_some(asio::buffer(buffer), error);
    if (count > 0) client_.receive({buffer, count});
    ended_ = ended_ || (error && error != asio::error::would_block);
    unsent_ += client_.pull();
    if (unsent_.empty() || ended_) return;
    unsent_.erase(0, socket_.write_some(asio::buffer(unsent_), error));
  }

  /// Like exchange, but without receiving.
  void send() {
    error_code error;
    unsent_ += client_.pull();
    unsent_.erase(0, socket_.write_some(asio::buffer(unsent_), error));
  }

  bool has_ended() const { return ended_; }
  bool was_told_to_go() const { return !client_.goaways.empty(); }
  std::size_t answers(std::string_view what) const {
    return static_cast<std::size_t>(
        std::count_if(streams_.begin(), streams_.end(), [&](const auto& stream) {
          return std::find(stream->log.begin(), stream->log.end(), what) != stream->log.end();
        }));
  }

 private:
  http2::End client_;
  RawSocket socket_;
  std::vector<http2::RecordingStreamPtr> streams_;
  std::string unsent_;
  bool ended_ = false;
};

}  // namespace concerto::net
