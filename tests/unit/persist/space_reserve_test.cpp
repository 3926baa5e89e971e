#include "leveldb/space_reserve.hpp"

#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <concerto/engine/error.hpp>

namespace concerto::persist {
namespace {

Result<> full() {
  return make_error(EngineErrc::store_failed,
                    "cannot write 'a': the disk is full: No space left on device");
}

/// An operation that succeeds once `pieces` of room were made.
struct Operation {
  int pieces = 0;
  int room = 0;
  int attempts = 0;

  Result<> operator()() {
    ++attempts;
    return room >= pieces ? ok() : full();
  }
};

TEST(SpaceReserve, GivesUpAPieceAfterTheOtherUntilThereIsRoom) {
  SpaceReserve space;
  Operation write{.pieces = 3};
  space.give_from([&](std::uint64_t) {
    ++write.room;
    return true;
  });
  EXPECT_TRUE(space.use([&] { return write(); }));
  EXPECT_EQ(write.room, 3);
  EXPECT_EQ(write.attempts, 4);
}

TEST(SpaceReserve, FailsAtOnceWhileNothingMayWait) {
  SpaceReserve space;
  space.give_from([](std::uint64_t) { return false; });
  Operation write{.pieces = 1};
  const Result<> done = space.use([&] { return write(); });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail, full().error().detail);
  EXPECT_EQ(write.attempts, 1);
}

TEST(SpaceReserve, GivesNothingUpForAnotherFailure) {
  SpaceReserve space;
  int given = 0;
  space.give_from([&](std::uint64_t) { return ++given > 0; });
  space.wait_from_now_on([](const Error&) {});
  const Result<> done = space.use([]() -> Result<> {
    return make_error(EngineErrc::store_failed, "cannot write 'a': Input/output error");
  });
  EXPECT_FALSE(done);
  EXPECT_EQ(given, 0);
}

TEST(SpaceReserve, WaitsUntilThereIsRoomAndSaysWhy) {
  SpaceReserve space;
  Operation write{.pieces = 1};
  std::string said;
  space.wait_from_now_on([&](const Error& reason) {
    said = reason.detail;
    ++write.room;
  });
  EXPECT_TRUE(space.use([&] { return write(); }));
  EXPECT_EQ(said, full().error().detail);
  EXPECT_EQ(space.waiting(), 0U);
}

TEST(SpaceReserve, AStopEndsAWait) {
  SpaceReserve space;
  space.wait_from_now_on([](const Error&) {});
  std::thread stop([&] {
    while (space.waiting() == 0) std::this_thread::yield();
    space.fail_at_once();
  });
  EXPECT_FALSE(space.use([] { return full(); }));
  stop.join();
}

}  // namespace
}  // namespace concerto::persist
