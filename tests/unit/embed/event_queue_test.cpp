#include <optional>
#include <string>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/engine/trans_events.hpp>

namespace concerto {
namespace {

using testing::ElementsAre;

struct EventQueueTest : testing::Test {
  void push(const char* gid) { queue->push({Gid(gid), TransType::saga, TransStatus::submitted}); }

  /// Reads an event, and keeps it as `gid+dropped`, or the error.
  auto reads() {
    return [this](Result<TransEvent> event) {
      if (!event) return read.push_back(event.error().code.message());
      read.push_back(event->gid.str() + "+" + std::to_string(event->dropped));
    };
  }
  void run() {
    io.restart();
    io.poll();
  }

  asio::io_context io{1};
  std::shared_ptr<EventQueue> queue = std::make_shared<EventQueue>(2);
  std::optional<TransEvents> events{std::in_place, queue, io.get_executor()};
  std::vector<std::string> read;
};

TEST_F(EventQueueTest, KeepsEventsAndOrder) {
  push("a");
  events->next(reads());
  events->next(reads());
  run();
  EXPECT_THAT(read, ElementsAre("a+0"));
  push("b");
  EXPECT_THAT(read, ElementsAre("a+0"));  // Nobody is resumed in a push.
  run();
  EXPECT_THAT(read, ElementsAre("a+0", "b+0"));
}

TEST_F(EventQueueTest, SaysHowManyWereDropped) {
  for (const char* gid : {"a", "b", "c", "d", "e"}) push(gid);
  for (int i = 0; i < 3; ++i) events->next(reads());
  run();
  push("f");
  run();
  EXPECT_THAT(read, ElementsAre("d+3", "e+0", "f+0"));
}

TEST_F(EventQueueTest, WithoutRoomCountsUntilSomebodyReads) {
  queue = std::make_shared<EventQueue>(0);
  events.emplace(queue, io.get_executor());
  push("a");
  push("b");
  events->next(reads());
  push("c");
  run();
  EXPECT_THAT(read, ElementsAre("c+2"));
}

TEST_F(EventQueueTest, EndsAfterTheLastEvent) {
  push("a");
  queue->close();
  push("b");
  events->next(reads());
  events->next(reads());
  run();
  EXPECT_THAT(read, ElementsAre("a+0", make_error_code(Errc::shutting_down).message()));
}

TEST_F(EventQueueTest, EndsWhoWaitsWithTheStream) {
  events->next(reads());
  events.reset();
  run();
  EXPECT_THAT(read, ElementsAre(make_error_code(Errc::shutting_down).message()));
}

TEST_F(EventQueueTest, IsCancelledWithoutTheLossOfAnEvent) {
  asio::cancellation_signal signal;
  events->next(asio::bind_cancellation_slot(signal.slot(), reads()));
  signal.emit(asio::cancellation_type::terminal);
  push("a");
  run();
  EXPECT_THAT(read, ElementsAre(error_code(asio::error::operation_aborted).message()));
  events->next(reads());
  run();
  EXPECT_EQ(read.back(), "a+0");
}

}  // namespace
}  // namespace concerto
