#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/transport/buffer_budget.hpp>

#include "hostile_fixture.hpp"

namespace concerto::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Gives up everything when it is asked to, and records it.
class TestHolder final : public BufferBudget::Holder {
 public:
  TestHolder(BufferBudget& budget, std::string name, std::vector<std::string>& log)
      : Holder(budget), name_(std::move(name)), log_(log) {}

  void hold(std::size_t bytes) { change_input(input_bytes(), bytes); }
  void answer(std::size_t bytes) { change_answer(held_bytes() - input_bytes(), bytes); }

 private:
  void shed(Excess excess) override {
    log_.push_back(name_);
    hold(0);
    if (excess == Excess::budget) answer(0);
  }

  const std::string name_;
  std::vector<std::string>& log_;
};

class BufferBudgetTest : public testing::Test {
 protected:
  std::vector<std::string> log;
  BufferBudget budget{{1'000, 600}};
  TestHolder first{budget, "first", log};
  TestHolder second{budget, "second", log};
  TestHolder third{budget, "third", log};
};

TEST_F(BufferBudgetTest, CountsTheBytesOfAllHolders) {
  first.hold(300), second.hold(500), first.hold(100);
  EXPECT_EQ(budget.used_bytes(), 600U);
  {
    TestHolder gone{budget, "gone", log};
    gone.hold(400);
    EXPECT_EQ(budget.used_bytes(), 1'000U);
  }
  EXPECT_EQ(budget.used_bytes(), 600U);
  EXPECT_THAT(log, IsEmpty());
}

TEST_F(BufferBudgetTest, TheLargestHolderMakesRoom) {
  first.hold(300), second.hold(500), third.hold(250);
  EXPECT_THAT(log, ElementsAre("second"));
  EXPECT_EQ(budget.used_bytes(), 550U);
  EXPECT_EQ(third.held_bytes(), 250U);  // The holder that came last keeps its bytes.
}

TEST_F(BufferBudgetTest, OfEqualHoldersTheOldestGivesUpFirst) {
  third.hold(340), second.hold(340), first.hold(340);
  EXPECT_THAT(log, ElementsAre("first"));
}

TEST_F(BufferBudgetTest, AConnectionMayHoldItsShareOnly) {
  first.hold(100), second.hold(601);
  EXPECT_THAT(log, ElementsAre("second"));
  EXPECT_EQ(budget.used_bytes(), 100U);
}

TEST_F(BufferBudgetTest, AnAnswerMayBeLargerThanTheShare) {
  first.answer(900);
  EXPECT_THAT(log, IsEmpty());
  second.hold(101);
  EXPECT_THAT(log, ElementsAre("first"));
}

TEST_F(BufferBudgetTest, IsNotExceededByManyHolders) {
  std::vector<std::unique_ptr<TestHolder>> many;
  for (int i = 0; i < 500; ++i) {
    many.push_back(std::make_unique<TestHolder>(budget, "many", log));
    many.back()->hold(10 + static_cast<std::size_t>(i) % 7);
    ASSERT_LE(budget.used_bytes(), 1'000U);
  }
  // Most holders had to give up their bytes.
  EXPECT_GT(budget.shed_count(), 100U);
}

TEST_F(BufferBudgetTest, StrangersTakeNothingFromOthers) {
  second.set_stranger(true), third.set_stranger(true);
  first.hold(600), second.hold(100), third.hold(20);
  EXPECT_THAT(log, IsEmpty());
  third.hold(30);
  EXPECT_THAT(log, ElementsAre("second")) << "the largest of the strangers";
  EXPECT_EQ(budget.used_bytes(), 630U);
}

TEST_F(BufferBudgetTest, WhoeverHasBecomeKnownLeavesRoomForStrangers) {
  second.set_stranger(true), third.set_stranger(true);
  second.hold(100);
  second.set_stranger(false);
  third.hold(100);
  EXPECT_THAT(log, IsEmpty());
  second.set_stranger(true);
  third.hold(101);
  EXPECT_THAT(log, ElementsAre("third"));
}

TEST_F(BufferBudgetTest, StrangersThatAreGoneLeaveRoomForOthers) {
  for (int i = 0; i < 10; ++i) {
    TestHolder gone{budget, "gone", log};
    gone.set_stranger(true);
    gone.hold(100);
  }
  EXPECT_THAT(log, IsEmpty());
  EXPECT_EQ(budget.used_bytes(), 0U);
}

constexpr std::string_view exhausted = "grpc-status: 8";

TEST_F(Hostile, UnreadEmptyMessagesAreLimited) {
  GrpcServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{100'000, 60'000});
  start(options);
  Notifier never(executor());
  server->add_stream("/test.S/Deaf", [&](GrpcServerStream& stream) -> Task<GrpcStatus> {
    return wait_for_the_end(stream, never);
  });
  Attacker attacker(connect());
  // Each message has 5 bytes of head and no bytes of its own.
  const std::string empty_messages(5 * 10'000, '\0');
  for (int i = 0; i < 4; ++i) attacker.open("/test.S/Deaf").send(empty_messages);
  run_until([&] {
    attacker.exchange();
    EXPECT_LE(options.buffers->used_bytes(), 100'000u);
    return attacker.answers(exhausted) == 4 || attacker.has_ended();
  });
  never.notify_all();
  expect_served();
}

TEST_F(Hostile, StreamsWithoutABodyCount) {
  GrpcServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{200'000, 100'000});
  start(options);
  Attacker attacker(connect());
  for (int i = 0; i < 100; ++i) attacker.open("/test.S/Echo");
  run_until([&] {
    attacker.exchange();
    EXPECT_LE(options.buffers->used_bytes(), 200'000u);
    return attacker.has_ended();
  });
  EXPECT_EQ(options.buffers->used_bytes(), 0u);
  expect_served();
}

TEST_F(Hostile, TheLargestHolderMakesRoomForNewConnections) {
  GrpcServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{400'000, 350'000});
  start(options);
  const std::string begin("\0\0\x0f\0\0", 5);  // of a message that never becomes complete
  Attacker hoarder(connect()), modest(connect());
  hoarder.open("/test.S/Echo").send(begin + std::string(150'000, 'x'));
  modest.open("/test.S/Echo").send(begin + std::string(40'000, 'x'));
  run_until([&] {
    hoarder.exchange(), modest.exchange();
    return options.buffers->used_bytes() > 200'000;
  });
  EXPECT_EQ(hoarder.answers(exhausted), 0u);
  Attacker newcomer(connect());
  newcomer.open("/test.S/Echo").send(begin + std::string(100'000, 'x'));
  run_until([&] {
    newcomer.exchange(), hoarder.exchange(), modest.exchange();
    EXPECT_LE(options.buffers->used_bytes(), 400'000u);
    return hoarder.answers(exhausted) == 1;
  });
  EXPECT_EQ(newcomer.answers(exhausted), 0u);
  EXPECT_EQ(modest.answers(exhausted), 0u);
  expect_served();
}

TEST_F(Hostile, UnreadAnswersCount) {
  GrpcServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{400'000, 300'000});
  start(options);
  int answered = 0;
  server->add_unary("/test.S/Large", [&](GrpcRequest) { return ++answered, large_reply(); });
  http2::SessionOptions small_window;
  small_window.stream_window_bytes = 1'000;
  Attacker attacker(connect(), small_window);
  for (int i = 0; i < 5; ++i) {
    http2::RecordingStream& stream = attacker.open("/test.S/Large");
    stream.send(std::string(5, '\0'));
    stream.end();
  }
  run_until([&] {
    attacker.exchange();
    EXPECT_LE(options.buffers->used_bytes(), 400'000u);
    return answered == 5 && options.buffers->shed_count() > 0;
  });
  expect_served();
}

TEST_F(Hostile, BytesThatWaitForTheSocketCount) {
  constexpr std::size_t reply_bytes = 60'000;
  GrpcServerOptions options;
  options.buffers = std::make_shared<BufferBudget>(BufferBudget::Limits{});
  start(options);
  server->add_unary("/test.S/Reply", [](GrpcRequest) -> Task<GrpcReply> {
    co_return GrpcReply::success(std::string(reply_bytes, 'x'));
  });
  {
    RawSocket socket = connect();
    socket.set_option(asio::socket_base::receive_buffer_size(4'096));
    socket.set_option(asio::ip::tcp::no_delay(true));
    Attacker attacker(std::move(socket));
    for (int i = 0; i < 100 && options.buffers->used_bytes() == 0; ++i) {
      http2::RecordingStream& stream = attacker.open("/test.S/Reply");
      stream.send(std::string(5, '\0'));
      stream.end();
      attacker.send();
      io.restart();
      io.poll();
    }
    ASSERT_GT(options.buffers->used_bytes(), 0u);
    // A reply that is still queued in its stream would count with all its bytes.
    EXPECT_NE(options.buffers->used_bytes(), reply_bytes + 5);
  }
  run_until([&] { return options.buffers->used_bytes() == 0; });
  expect_served();
}

}  // namespace
}  // namespace concerto::net
