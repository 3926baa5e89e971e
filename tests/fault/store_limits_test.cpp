// What a store does if the system gives it no descriptor or no room.

#include <atomic>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <concerto/persist/leveldb_store.hpp>

#include "fault_disk.hpp"
#include "leveldb/disk_room.hpp"
#include "sanitizers.hpp"
#include "small_disk.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;

namespace fs = std::filesystem;

namespace {

/// Whether a write waits for room.
bool waits(const LevelDbStore& store) {
  return store.health().state == StoreHealth::State::recovering;
}

class StoreLimits : public testing::Test {
 protected:
  LevelDbOptions options() const {
    LevelDbOptions options = small_options(dir_.path() + "/store");
    options.write_buffer_bytes = 64 << 10;
    return options;
  }

  std::unique_ptr<LevelDbStore> open_store(const LevelDbOptions& options) {
    auto opened = LevelDbStore::open(options, clock_, log_);
    EXPECT_TRUE(opened) << opened.error().detail;
    return std::move(opened).value();
  }

  void fill(LevelDbStore& store, int count) {
    for (int i = 0; i < count; ++i) {
      Transaction saga = sample_saga("g" + std::to_string(i), i);
      saga.payloads[0] = std::string(700, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(history_.create(store, saga, Durability::durable));
    }
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  StoreHistory history_;
};

/// Takes all descriptors that the process may still open, until the test ends.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit small{std::min<rlim_t>(before_.rlim_cur, 1024), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &small), 0);
    for (int fresh = 0; (fresh = ::open("/dev/null", O_RDONLY)) >= 0;) taken_.push_back(fresh);
  }
  ~NoDescriptorLeft() {
    for (const int taken : taken_) ::close(taken);
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

#if CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS
TEST_F(StoreLimits, ConnectionsThatTakeAllDescriptorsDoNotStopTheStore) {
  auto store = open_store(options());
  {
    const NoDescriptorLeft none;
    fill(*store, 400);
    ASSERT_TRUE(store->maintain());
    EXPECT_FALSE(has_failed(*store));
    history_.check(*store);
  }
  store.reset();
  store = open_store(options());
  history_.check(*store);
}
#endif

TEST_F(StoreLimits, AnOpenWithoutADescriptorIsTriedAgainAndFailsNothing) {
  FaultDisk disk;
  LevelDbOptions faulty = options();
  faulty.disk = &disk;
  auto store = open_store(faulty);
  disk.fail_at(1, FaultDisk::Fault::no_descriptors);
  std::atomic<bool> ended = false;
  std::atomic<bool> waited = false;
  std::thread closer([&] {
    using State = StoreHealth::State;
    while (!ended && !waited) waited = store->health().state == State::recovering;
    disk.heal();
  });
  fill(*store, 400);  // long enough for several logs
  ended = true;
  closer.join();
  EXPECT_TRUE(waited);
  EXPECT_FALSE(has_failed(*store));
  EXPECT_NE(log_.take().find("no file descriptor is left"), std::string::npos);
  history_.check(*store);
}

#if CONCERTO_CAN_RUN_WITHOUT_DESCRIPTORS
TEST_F(StoreLimits, AStartWithoutDescriptorsSaysSoAndIsDoneAgainLater) {
  open_store(options())->close();
  {
    const NoDescriptorLeft none;
    const auto opened = LevelDbStore::open(options(), clock_, log_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, EngineErrc::store_failed);
    EXPECT_NE(opened.error().detail.find("Too many open files"), std::string::npos)
        << opened.error().detail;
  }
  open_store(options());
}
#endif

TEST_F(StoreLimits, AStoreTellsHowManyDescriptorsItNeeds) {
  constexpr int segments = 20;
  LevelDbOptions exact = options();
  exact.segment_bytes = 400;
  exact.retention.finished_bytes_max = segments * exact.segment_bytes;
  const std::size_t before = open_descriptors();
  auto store = open_store(exact);
  for (int i = 0; i < segments; ++i) {
    Transaction saga = sample_saga("u" + std::to_string(i), i);
    saga.payloads[0] = std::string(exact.segment_bytes, 'x');
    ASSERT_TRUE(history_.create(*store, saga, Durability::durable));
  }
  ASSERT_TRUE(store->maintain());
  history_.check(*store);
  const std::size_t used = open_descriptors() - before;
  EXPECT_GT(used, std::size_t{segments} * 4);
  EXPECT_LE(used, LevelDbStore::descriptors_max(exact));
  EXPECT_LT(LevelDbStore::descriptors_max(LevelDbOptions{}), 400U) << "a limit of 1024 is common";
}

/// A store whose disk becomes full. Sizes are small; everything else is as with large sizes.
class StoreRoom : public StoreLimits {
 protected:
  static constexpr std::uint64_t reserve_bytes = 1 << 20;

  LevelDbOptions options() {
    LevelDbOptions options = StoreLimits::options();
    options.disk = &disk_;
    options.reserve_bytes = reserve_bytes;
    options.free_bytes_min = 4 * reserve_bytes;
    return options;
  }

  Result<> create(LevelDbStore& store, int number) {
    Transaction saga = sample_saga("r" + std::to_string(number), number);
    saga.payloads[0] = std::string(4000, 'x');
    return await_result(history_.io(), store.commit(test::create(saga)));
  }

  Result<> finish(LevelDbStore& store, int number) {
    const auto end = new_status(TransStatus::succeed, number);
    return await_result(history_.io(), store.commit(update("r" + std::to_string(number),
                                                           TransStatus::submitted, end)));
  }

  /// Creates transactions until one is refused. Returns how many there are then.
  int fill_until_refused(LevelDbStore& store) {
    for (int number = 0; number < 5000; ++number) {
      const Result<> created = create(store, number);
      if (!created) {
        EXPECT_EQ(created.error().code, Errc::overloaded) << created.error().detail;
        return number;
      }
      if (number % 50 != 0) continue;
      EXPECT_TRUE(store.maintain());
    }
    ADD_FAILURE() << "nothing was refused";
    return 0;
  }

  void make_reserve(LevelDbStore& store) {
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(store.maintain());
    ASSERT_EQ(fs::file_size(reserve_path()), reserve_bytes);
  }

  std::string reserve_path() const { return persist::reserve_path(dir_.path() + "/store"); }

  SmallDisk disk_{dir_.path()};
};

TEST_F(StoreRoom, AFullDiskIsSaidBeforeAndEndsNewTransactionsAlone) {
  disk_.set_size(20 * reserve_bytes);
  auto store = open_store(options());
  make_reserve(*store);
  EXPECT_TRUE(store->health().warnings.empty());
  const int created = fill_until_refused(*store);
  EXPECT_EQ(store->health().state, StoreHealth::State::refusing);
  EXPECT_EQ(store->health().warnings.size(), 1U);
  const std::string lines = log_.take();
  const auto warned = lines.find("less than Store.FreeBytesMin");
  const auto refused = lines.find("new transactions are refused");
  EXPECT_NE(warned, std::string::npos) << lines;
  EXPECT_NE(refused, std::string::npos) << lines;
  EXPECT_LT(warned, refused);
  for (int number = 0; number < created; ++number) ASSERT_TRUE(finish(*store, number));
  EXPECT_FALSE(has_failed(*store));
  disk_.set_size(40 * reserve_bytes);
  ASSERT_TRUE(store->maintain());
  EXPECT_EQ(store->health().state, StoreHealth::State::serving);
  EXPECT_TRUE(create(*store, created));
}

TEST_F(StoreRoom, AFullDiskLetsWhatIsUnfinishedEndWithTheReserve) {
  disk_.set_size(20 * reserve_bytes);
  auto store = open_store(options());
  make_reserve(*store);
  const int created = fill_until_refused(*store);
  ASSERT_GT(created, 400);
  disk_.fill_up();
  for (int number = 0; number < 400; ++number) ASSERT_TRUE(finish(*store, number)) << number;
  EXPECT_FALSE(has_failed(*store));
}

TEST_F(StoreRoom, AWriteThatFindsNoRoomWaitsForItAndFailsNothing) {
  LevelDbOptions patient = options();
  patient.reserve_bytes = 0;
  patient.waits_for_room = true;
  auto store = open_store(patient);
  ASSERT_TRUE(create(*store, 0));
  disk_.fill_up();
  std::atomic<bool> ended = false;
  std::atomic<bool> waited = false;
  std::thread helper([&] {
    while (!ended && !waited) waited = waits(*store);
    disk_.set_size(UINT64_MAX);
  });
  for (int number = 1; number <= 40; ++number) EXPECT_TRUE(create(*store, number)) << number;
  ended = true;
  helper.join();
  EXPECT_TRUE(waited);
  EXPECT_FALSE(has_failed(*store));
  EXPECT_NE(log_.take().find("the store waits for room"), std::string::npos);
}

TEST_F(StoreRoom, AStopDoesNotWaitForRoom) {
  LevelDbOptions patient = options();
  patient.reserve_bytes = 0;
  patient.waits_for_room = true;
  auto store = open_store(patient);
  ASSERT_TRUE(create(*store, 0));
  disk_.fill_up();
  std::thread stop([&] {
    while (!waits(*store)) std::this_thread::yield();
    store->begin_stop(SteadyTime{});
  });
  int number = 1;
  while (create(*store, number)) ++number;
  stop.join();
  store.reset();
  disk_.set_size(UINT64_MAX);
  store = open_store(patient);
  EXPECT_EQ(store->unfinished_count(), static_cast<std::size_t>(number));
}

TEST_F(StoreRoom, AStartWithoutRoomForTablesGoesOnWithItsLog) {
  auto store = open_store(options());
  make_reserve(*store);
  fill(*store, 30);
  store.reset();
  const std::string segment = dir_.path() + "/store/segment-000001";
  const auto logs = files_below(segment, ".log");
  const auto tables = files_below(segment, ".ldb");
  for (int starts = 0; starts < 3; ++starts) {
    disk_.fill_up();
    store = open_store(options());
    history_.check(*store);
    EXPECT_EQ(files_below(segment, ".log"), logs);
    EXPECT_EQ(files_below(segment, ".ldb"), tables);
    const std::string gid = "g" + std::to_string(starts);
    const auto end = new_status(TransStatus::succeed, starts);
    EXPECT_TRUE(history_.update(*store, gid, end, Durability::durable));
    store.reset();
  }
  EXPECT_GT(fs::file_size(reserve_path()), 0U);
  disk_.set_size(UINT64_MAX);
  store = open_store(options());
  history_.check(*store);
  EXPECT_NE(files_below(segment, ".log"), logs);
}

TEST_F(StoreRoom, AStartOnAFullDiskServesReadsAndEndsWhatIsUnfinished) {
  disk_.set_size(20 * reserve_bytes);
  auto store = open_store(options());
  make_reserve(*store);
  const int created = fill_until_refused(*store);
  // Another user of the disk fills it and takes what the store gives up, until a write fails.
  fs::resize_file(reserve_path(), 0);
  disk_.fill_up();
  int finished = 0;
  for (; finished < created && finish(*store, finished); ++finished) disk_.fill_up();
  ASSERT_TRUE(has_failed(*store)) << finished << " of " << created << " needed no room";
  const Result<> after = finish(*store, finished);
  ASSERT_FALSE(after);
  EXPECT_NE(after.error().detail.find("the disk is full"), std::string::npos)
      << after.error().detail;
  EXPECT_EQ(after.error().detail.find(dir_.path()), std::string::npos) << after.error().detail;
  store.reset();
  fs::resize_file(reserve_path(), reserve_bytes);
  disk_.fill_up();
  store = open_store(options());
  const auto read = await_result(history_.io(), store->load(Gid{"r0"}));
  ASSERT_TRUE(read);
  EXPECT_TRUE(*read);
  // The outcome of the transaction whose write failed is unknown: it may have ended.
  for (int number = finished + 1; number < std::min(created, finished + 50); ++number) {
    ASSERT_TRUE(finish(*store, number)) << number;
  }
  EXPECT_FALSE(has_failed(*store));
  // The start itself may have made room, because LevelDB removes files that it no longer needs.
  disk_.set_size(disk_.used() + reserve_bytes / 2);
  ASSERT_TRUE(store->maintain());
  EXPECT_EQ(store->health().state, StoreHealth::State::refusing);
  EXPECT_EQ(create(*store, created).error().code, Errc::overloaded);
}

TEST_F(StoreRoom, WithoutAReserveAFullDiskIsSaidInPlainWords) {
  LevelDbOptions none = options();
  none.reserve_bytes = 0;
  open_store(none)->close();
  fs::remove(dir_.path() + "/store/SPARE");
  disk_.fill_up();
  const auto opened = LevelDbStore::open(none, clock_, log_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, EngineErrc::store_failed);
  EXPECT_NE(opened.error().detail.find("the disk is full"), std::string::npos)
      << opened.error().detail;
}

}  // namespace
}  // namespace concerto::test
