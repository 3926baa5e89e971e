// HTTP/2 without sockets, plain and over TLS, and the requests in it.

#include <concerto/protocol/request_messages.hpp>

#include "counted_case.hpp"
#include "http2/session.hpp"
#include "tls_pair.hpp"

namespace concerto::bench {
namespace {

using net::http2::HeaderBlock;
using net::http2::Session;
using net::http2::Side;
using net::http2::Stream;
using net::http2::StreamPtr;

/// The stream of a unary call, on either side.
class CallStream final : public Stream {
 public:
  void send(std::string bytes) {
    out_.push({}, std::move(bytes));
    out_ended_ = true;
    session()->resume(*this);
  }
  void on_round() override {}

  bool complete = false;

 private:
  void on_header(std::string_view, std::string_view) override {}
  void on_headers_too_large() override {}
  void on_headers_end() override {}
  void on_data(std::string_view bytes) override { received_ += bytes.size(); }
  void on_end() override {
    session()->consumed(*this, received_);
    complete = true;
  }
  void on_close(std::uint32_t, bool) override {}
  bool add_trailers(HeaderBlock& block) override {
    if (!is_server) return false;
    block.add_fixed("grpc-status", "0");
    return true;
  }

  std::size_t received_ = 0;

 public:
  bool is_server = false;
};

class CountedEnd final : public Session::Events {
 public:
  explicit CountedEnd(Side side) : session(side, {}, *this) {}
  ~CountedEnd() override { session.abandon(0); }

  /// Delivers everything that there is to send to the other end.
  void deliver(CountedEnd& to) {
    for (;;) {
      const auto count = session.pull(buffer_);
      if (!count || *count == 0) return;
      const std::string_view bytes(buffer_.data(), *count);
      good = good && (tls == nullptr ? to.receive(bytes) : deliver_encrypted(to, bytes));
    }
  }

  Session session;
  std::vector<boost::intrusive_ptr<CallStream>> requests;
  net::TlsSession* tls = nullptr;  ///< of this end; null: plain text
  bool good = true;

 private:
  bool receive(std::string_view bytes) { return session.receive(bytes, now_).has_value(); }

  bool deliver_encrypted(CountedEnd& to, std::string_view bytes) {
    bool is_good = tls->write(bytes).has_value();
    carry(*tls, *to.tls);
    while (is_good) {
      const auto count = to.tls->read(to.buffer_);
      if (!count || *count == 0) return count.has_value();
      is_good = to.receive({to.buffer_.data(), *count});
    }
    return false;
  }

  /// The work of the calls pays for their frames, without help from the clock.
  static constexpr SteadyTime now_{};

  StreamPtr on_request() override {
    requests.emplace_back(new CallStream());
    requests.back()->is_server = true;
    return requests.back();
  }
  void on_settings() override {}
  void on_goaway(std::uint32_t, std::string_view) override {}
  void on_ping_ack() override {}
  void on_stream_closed() override {}
  void on_output() override {}

  std::vector<char> buffer_ = std::vector<char>(Session::pull_bytes_min * 4);
};

/// Unary calls with the metadata of a branch call, through a client's and a server's session.
class UnaryCase : public CountedCase {
 public:
  /// So many calls share the connection and what is written at a time.
  explicit UnaryCase(std::size_t at_once) : at_once_(at_once) {}

  bool run(std::size_t count) override {
    bool good = true;
    for (std::size_t i = 0; i < count; i += at_once_) good = calls(i) && good;
    return good && client_.good && server_.good;
  }

 private:
  bool calls(std::size_t number) {
    for (std::size_t i = 0; i < at_once_; ++i) asked_.push_back(ask(number + i));
    client_.deliver(server_);
    bool good = server_.requests.size() == at_once_;
    for (auto& stream : server_.requests) good = answer(*stream) && good;
    server_.requests.clear();
    server_.deliver(client_);
    client_.deliver(server_);
    for (auto& stream : asked_) good = stream->complete && good;
    asked_.clear();
    return good;
  }

  boost::intrusive_ptr<CallStream> ask(std::size_t number) {
    boost::intrusive_ptr<CallStream> asked(new CallStream());
    const std::string gid = "transaction-" + std::to_string(number);
    HeaderBlock request;
    request.add_fixed(":method", "POST");
    request.add_fixed(":scheme", "http");
    request.add_fixed(":path", "/pkg.Bank/Transfer");
    request.add_fixed(":authority", "bank.example:80");
    request.add_fixed("te", "trailers");
    request.add_fixed("content-type", "application/grpc");
    request.add_repeated("grpc-timeout", "3000000u");
    request.add_varying("dtm-gid", gid);
    request.add_repeated("dtm-branch_id", "01");
    client_.session.request(*asked, request);
    asked->send(std::string(105, 'q'));
    return asked;
  }

  bool answer(CallStream& stream) {
    HeaderBlock response;
    response.add_fixed(":status", "200");
    response.add_fixed("content-type", "application/grpc");
    server_.session.respond(stream, response, false);
    stream.send(std::string(5, 'r'));
    return stream.complete;
  }

  std::size_t at_once_;
  std::vector<boost::intrusive_ptr<CallStream>> asked_;
  CountedEnd client_{Side::client};
  CountedEnd server_{Side::server};

 protected:
  void use_tls(TlsPair& pair) {
    client_.tls = &pair.client();
    server_.tls = &pair.server();
  }
};

/// The same over TLS, once the handshake has ended.
class UnaryTlsCase final : public UnaryCase {
 public:
  explicit UnaryTlsCase(std::size_t at_once) : UnaryCase(at_once) { use_tls(pair_); }

 private:
  TlsPair pair_;
};

/// So many branch calls go out together under load.
constexpr std::size_t busy_calls = 20;

template <class Case, std::size_t at_once>
std::unique_ptr<CountedCase> make_calls() {
  return std::make_unique<Case>(at_once);
}

class ProtoCase final : public CountedCase {
 public:
  ProtoCase() {
    TransRequest request;
    request.gid = Gid{"transaction-of-a-bench"};
    request.trans_type = "saga";
    request.options.wait_result = true;
    request.steps = {{"bank.example:80/pkg.Bank/Out", "bank:80/R"},
                     {"bank.example:80/pkg.Bank/In", "bank:80/R"}};
    request.payloads = {std::string(100, 'p'), std::string(100, 'p')};
    message_ = net::proto_of(request);
  }

  bool run(std::size_t count) override {
    bool good = true;
    for (std::size_t i = 0; i < count; ++i) {
      const auto request = net::trans_request_from_proto(message_);
      good = good && request && request->steps.size() == 2;
    }
    return good;
  }

 private:
  std::string message_;
};

class JsonCase final : public CountedCase {
 public:
  bool run(std::size_t count) override {
    const std::string body =
        R"({"gid":"transaction-of-a-bench","trans_type":"saga","wait_result":true,)"
        R"("steps":[{"action":"http://bank.example/out","compensate":"http://bank/r"},)"
        R"({"action":"http://bank.example/in","compensate":"http://bank/r"}],"payloads":[")" +
        std::string(100, 'p') + R"(",")" + std::string(100, 'p') + R"("]})";
    bool good = true;
    for (std::size_t i = 0; i < count; ++i) {
      const auto request = net::trans_request_from_json(body);
      good = good && request && request->steps.size() == 2;
    }
    return good;
  }
};

}  // namespace

std::vector<CountedRow> transport_cases() {
  return {{"http2/unary", 5'000, make_calls<UnaryCase, 1>},
          {"http2/unary_tls", 5'000, make_calls<UnaryTlsCase, 1>},
          {"http2/busy", 5'000, make_calls<UnaryCase, busy_calls>},
          {"http2/busy_tls", 5'000, make_calls<UnaryTlsCase, busy_calls>},
          {"codec/proto", 5'000, make_case<ProtoCase>},
          {"codec/json", 5'000, make_case<JsonCase>}};
}

}  // namespace concerto::bench
