#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "http2/session.hpp"

namespace concerto::net::http2 {

/// Records its events: `name: value` for each field, then `headers`, `data <bytes>`, `end`, and
/// `close <error>` or `close <error> unprocessed`.
class RecordingStream final : public Stream {
 public:
  explicit RecordingStream(std::string trailer = {}) : trailer_(std::move(trailer)) {}

  void send(std::string bytes) {
    out_.push({}, std::move(bytes));
    if (is_open()) session()->resume(*this);
  }
  void end() {
    out_ended_ = true;
    if (is_open()) session()->resume(*this);
  }
  void respond() {
    HeaderBlock block;
    block.add_fixed(":status", "200");
    session()->respond(*this, block, false);
  }
  void consume(std::size_t count) { session()->consumed(*this, count); }
  void reset(std::uint32_t error) { session()->reset(*this, error); }

  void on_round() override {}

  std::vector<std::string> log;
  std::size_t received_bytes = 0;

 private:
  void on_header(std::string_view name, std::string_view value) override {
    log.push_back(std::string(name) + ": " + std::string(value));
  }
  void on_headers_too_large() override { log.emplace_back("too large"); }
  void on_headers_end() override { log.emplace_back("headers"); }
  void on_data(std::string_view bytes) override {
    received_bytes += bytes.size();
    if (bytes.size() >= 100) return;
    if (log.empty() || !log.back().starts_with("data ")) log.emplace_back("data ");
    log.back() += bytes;
  }
  void on_end() override { log.emplace_back("end"); }
  void on_close(std::uint32_t error, bool unprocessed) override {
    log.push_back("close " + std::to_string(error) + (unprocessed ? " unprocessed" : ""));
  }
  bool add_trailers(HeaderBlock& block) override {
    if (trailer_.empty()) return false;
    block.add_repeated("grpc-status", trailer_);
    return true;
  }

  const std::string trailer_;
};

using RecordingStreamPtr = boost::intrusive_ptr<RecordingStream>;

/// The bytes of a frame.
inline std::string raw_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                             std::string_view payload = {}) {
  std::string bytes;
  const auto add = [&bytes](std::size_t value, int count) {
    while (count-- > 0) bytes += static_cast<char>(value >> 8 * count & 255);
  };
  add(payload.size(), 3);
  add(type, 1);
  add(flags, 1);
  add(stream, 4);
  return bytes.append(payload);
}

/// Fields in HPACK without indexing. Names and values must have less than 127 bytes.
inline std::string raw_fields(
    std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string bytes;
  for (const auto& [name, value] : fields) {
    bytes += '\0';
    for (const std::string_view text : {name, value}) {
      bytes += static_cast<char>(text.size());
      bytes += text;
    }
  }
  return bytes;
}

/// The fields of a request (to a server) or of an answer (to a client).
inline std::string raw_fields(Side receiver) {
  constexpr std::pair<std::string_view, std::string_view> type{"content-type", "application/grpc"};
  if (receiver == Side::client) return raw_fields({{":status", "200"}, type});
  return raw_fields({{":method", "POST"},
                     {":scheme", "http"},
                     {":path", "/test.S/Echo"},
                     {":authority", "x"},
                     type});
}

/// Like raw_fields, and then a field of 3,500 bytes, which is repeated `references` times with one
/// byte each.
inline std::string header_bomb(Side receiver, std::size_t references) {
  std::string block = raw_fields(receiver);
  constexpr std::size_t value_bytes = 3500;
  constexpr std::string_view length_of_value("\x7f\xad\x1a");  // 127 + 3373
  block += std::string("\x40\x01x") + std::string(length_of_value);
  block += std::string(value_bytes, 'b');
  return block + std::string(references, '\xbe');
}

/// One end of a connection that has no socket.
class End final : public Session::Events {
 public:
  explicit End(Side side, const SessionOptions& options = {})
      : session(side, options, *this), side_(side) {}
  ~End() override { session.abandon(NGHTTP2_NO_ERROR); }

  bool is_server() const noexcept { return side_ == Side::server; }

  /// Everything that the session has queued.
  std::string pull() {
    std::string bytes;
    std::vector<char> buffer(Session::pull_bytes_min * 2);
    for (;;) {
      const auto count = session.pull(buffer);
      if (!count) {
        error = count.error().detail;
        return bytes;
      }
      if (*count == 0) return bytes;
      bytes.append(buffer.data(), *count);
    }
  }

  bool receive(std::string_view bytes) {
    const auto received = session.receive(bytes, now);
    if (!received) error = received.error().detail;
    return received.has_value();
  }

  RecordingStreamPtr request(const char* path = "/s/m") {
    RecordingStreamPtr stream(new RecordingStream());
    HeaderBlock block;
    block.add_fixed(":method", "POST");
    block.add_fixed(":scheme", "http");
    block.add_repeated(":path", path);
    block.add_fixed(":authority", "test");
    if (!session.request(*stream, block)) return nullptr;
    return stream;
  }

  std::vector<RecordingStreamPtr> requests;
  std::string trailer = "0";  ///< value of grpc-status in answers
  std::string error;
  SteadyTime now{};  ///< moved by the test
  int settings = 0;
  int ping_acks = 0;
  std::vector<std::uint32_t> goaways;
  Session session;

 private:
  const Side side_;

  StreamPtr on_request() override {
    requests.push_back(new RecordingStream(trailer));
    return requests.back();
  }
  void on_settings() override { ++settings; }
  void on_goaway(std::uint32_t code, std::string_view) override { goaways.push_back(code); }
  void on_ping_ack() override { ++ping_acks; }
  void on_stream_closed() override {}
  void on_output() override {}
};

/// Carries bytes in both directions, `chunk` bytes at a time, until neither end has more to send.
inline void exchange(End& a, End& b, std::size_t chunk = std::string::npos) {
  const auto carry = [chunk](End& from, End& to) {
    const std::string bytes = from.pull();
    for (std::size_t at = 0; at < bytes.size();) {
      const std::string_view part = std::string_view(bytes).substr(at, chunk);
      if (!to.receive(part)) return false;
      at += part.size();
    }
    return !bytes.empty();
  };
  for (bool more = true; more;) {
    more = carry(a, b);
    more = carry(b, a) || more;
  }
}

}  // namespace concerto::net::http2
