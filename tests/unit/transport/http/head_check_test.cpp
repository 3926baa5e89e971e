// Requests that are looked at before their bodies come.
#include <gmock/gmock.h>

#include "server_fixture.hpp"

namespace concerto::net::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// A server that knows whoever sends the header X-Known, and refuses X-Bad.
class HttpHeadCheckTest : public ServerTest {
 protected:
  void serve_checked(std::shared_ptr<BufferBudget> buffers = nullptr) {
    HttpServerOptions options;
    options.buffers = std::move(buffers);
    options.check_head = [this](const HttpRequest& request) { return check(request); };
    serve(options);
  }

  Task<HeadVerdict> check(const HttpRequest& request) {
    ++checked_;
    HeadVerdict verdict;
    verdict.is_known = request.headers.contains("X-Known");
    if (request.headers.contains("X-Bad"))
      verdict.refusal = error_response(401, "nobody knows you");
    co_return verdict;
  }

  static std::string head(std::size_t bytes, std::string_view fields = {}) {
    return "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(bytes) + "\r\n" +
           std::string{fields} + "\r\n";
  }

  int checked_ = 0;
};

TEST_F(HttpHeadCheckTest, ABodyThatIsNotWantedIsNotWaitedFor) {
  const auto buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{});
  serve_checked(buffers);
  RawPeer& peer = connect();
  peer.send(head(1'000'000, "X-Bad: 1\r\n") + "the first of it");
  run_until_received(peer, "nobody knows you");
  EXPECT_THAT(peer.received(), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(peer.received(), HasSubstr("Connection: close"));
  EXPECT_EQ(buffers->used_bytes(), 0U);
}

TEST_F(HttpHeadCheckTest, NobodyIsToldToGoOnWithABodyThatIsNotWanted) {
  serve_checked();
  RawPeer& peer = connect();
  peer.send(head(100, "Expect: 100-continue\r\nX-Bad: 1\r\n"));
  run_until_received(peer, "nobody knows you");
  EXPECT_THAT(peer.received(), Not(HasSubstr("100 Continue")));
}

TEST_F(HttpHeadCheckTest, AWantedBodyIsReceived) {
  serve_checked();
  RawPeer& peer = connect();
  peer.send(head(4, "Expect: 100-continue\r\nX-Known: 1\r\n"));
  run_until_received(peer, "100 Continue");
  peer.send("bo");
  poll();
  peer.send("dy");
  run_until_received(peer, "body");
  EXPECT_EQ(checked_, 1);
}

TEST_F(HttpHeadCheckTest, ARequestThatHasComeWholeIsLeftToItsHandler) {
  serve_checked();
  RawPeer& peer = connect();
  peer.send(head(4, "X-Bad: 1\r\n") + "body");
  run_until_received(peer, "HTTP/1.1 200 ");
  EXPECT_EQ(checked_, 0);
}

TEST_F(HttpHeadCheckTest, StrangersMakeRoomForThoseWhoAreKnown) {
  const auto buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{1'600'000, 1'000'000});
  serve_checked(buffers);
  RawPeer& known = connect();
  known.send(head(400'000, "X-Known: 1\r\n") + std::string(390'000, 'k'));
  run_until([&] { return buffers->used_bytes() > 390'000; });
  for (int i = 0; i < 20; ++i) {
    connect().send(head(400'000) + std::string(100'000, 's'));
    poll();
  }
  run_until([&] { return checked_ == 21 && buffers->shed_count() > 10; });
  known.send(std::string(10'000, 'k'));
  run_until_received(known, "HTTP/1.1 200 ");
}

TEST_F(HttpHeadCheckTest, ASlowBodyOfAStrangerMakesRoomForANewConnection) {
  HttpServerOptions options;
  options.connections_max = 2;
  options.check_head = [this](const HttpRequest& request) { return check(request); };
  serve(options);
  RawPeer& known = connect();
  known.send(head(100, "X-Known: 1\r\n"));
  RawPeer& stranger = connect();
  stranger.send(head(100) + "s");
  run_until([&] { return checked_ == 2; });
  advance(std::chrono::milliseconds{1'001});
  connect();
  run_until([&] { return stranger.saw_end(); });
  EXPECT_FALSE(known.saw_end());
}

}  // namespace
}  // namespace concerto::net::test
