// gRPC calls that are looked at before their messages come.
#include <gmock/gmock.h>

#include "hostile_fixture.hpp"

namespace concerto::net {
namespace {

constexpr std::string_view exhausted = "grpc-status: 8";
constexpr std::string_view unauthenticated = "grpc-status: 16";

/// Of a message of 1 MiB.
std::string begin_of_message(std::size_t bytes) {
  return std::string("\0\0\x10\0\0", 5) + std::string(bytes, 'x');
}

/// A server that lets calls of /test.S/Known in, and refuses those of /test.S/Bad.
class GrpcHeadChecks : public Hostile {
 protected:
  void start_checked(std::shared_ptr<BufferBudget> buffers) {
    GrpcServerOptions options;
    options.buffers = std::move(buffers);
    start(options);
    server->add_unary("/test.S/Bad", echo, [this](const GrpcRequest& request) {
      EXPECT_EQ(request.message, "");
      ++checked_;
      return std::optional{refuse()};
    });
    server->add_unary("/test.S/Known", echo, [this](const GrpcRequest& request) {
      ++checked_;
      request.let_in();
      return std::optional<Task<GrpcReply>>{};
    });
  }

  static Task<GrpcReply> refuse() {
    co_return GrpcReply::failure(GrpcCode::unauthenticated, "nobody knows you");
  }

  int checked_ = 0;
};

TEST_F(GrpcHeadChecks, AMessageThatIsNotWantedIsNotWaitedFor) {
  const auto buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{});
  start_checked(buffers);
  Attacker stranger(connect());
  http2::RecordingStream& stream = stranger.open("/test.S/Bad");
  stream.send(begin_of_message(30'000));
  run_until([&] {
    stranger.exchange();
    return stranger.answers(unauthenticated) == 1;
  });
  EXPECT_EQ(checked_, 1);
  stream.send(std::string(200'000, 'x'));
  for (int i = 0; i < 50; ++i) {
    stranger.exchange();
    io.poll();
    io.restart();
  }
  EXPECT_LT(buffers->used_bytes(), 10'000U);
  expect_served();
}

TEST_F(GrpcHeadChecks, AMessageThatHasComeWholeIsLeftToItsHandler) {
  start_checked(nullptr);
  EXPECT_TRUE(call("/test.S/Bad", "small").ok());
  EXPECT_EQ(checked_, 0);
}

TEST_F(GrpcHeadChecks, AWantedMessageIsReceived) {
  start_checked(nullptr);
  const std::string large(300'000, 'x');
  EXPECT_EQ(call("/test.S/Known", large).message, large);
  EXPECT_EQ(checked_, 1);
}

TEST_F(GrpcHeadChecks, StrangersMakeRoomForThoseWhoAreKnown) {
  const auto buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{1'600'000, 1'000'000});
  start_checked(buffers);
  Attacker known(connect());
  known.open("/test.S/Known").send(begin_of_message(400'000));
  run_until([&] {
    known.exchange();
    return buffers->used_bytes() > 400'000;
  });
  // A method that anybody may call has no check.
  std::vector<std::unique_ptr<Attacker>> strangers;
  for (int i = 0; i < 20; ++i) {
    strangers.push_back(std::make_unique<Attacker>(connect()));
    strangers.back()->open("/test.S/Echo").send(begin_of_message(60'000));
  }
  run_until([&] {
    std::size_t refused = 0;
    for (const auto& stranger : strangers) {
      stranger->exchange();
      refused += stranger->answers(exhausted);
    }
    known.exchange();
    return refused > 10;
  });
  EXPECT_EQ(known.answers(exhausted), 0U);
  EXPECT_GT(buffers->used_bytes(), 400'000U);
  expect_served();
}

}  // namespace
}  // namespace concerto::net
