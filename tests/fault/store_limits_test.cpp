// What a store does when the system gives it no descriptor or no space.

#include <atomic>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <concerto/persist/leveldb_store.hpp>

#include "fault_disk.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;

namespace fs = std::filesystem;

namespace {

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

/// All that the process may still open, until the test ends.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const rlimit small{std::min<rlim_t>(before_.rlim_cur, 1024), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &small), 0);
    for (int taken = 0; (taken = ::dup(0)) >= 0;) taken_.push_back(taken);
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

TEST_F(StoreLimits, ConnectionsThatTakeAllDescriptorsDoNotStopTheStore) {
  LevelDbOptions small = options();
  small.segment_bytes = 100'000;
  auto store = open_store(small);
  {
    const NoDescriptorLeft none;
    fill(*store, 400);
    ASSERT_TRUE(store->maintain());
    EXPECT_FALSE(store->failed());
    history_.check(*store);
  }
  store.reset();
  store = open_store(small);
  history_.check(*store);
}

TEST_F(StoreLimits, AnOpenWithoutADescriptorIsTriedAgainAndFailsNothing) {
  FaultDisk disk;
  LevelDbOptions faulty = options();
  faulty.disk = &disk;
  auto store = open_store(faulty);
  disk.fail_at(1, FaultDisk::Fault::no_descriptors);
  std::atomic<bool> ended = false;
  std::atomic<bool> waited = false;
  std::thread closer([&] {
    while (!ended && !waited) waited = store->waits_for_descriptor();
    disk.heal();
  });
  fill(*store, 400);  // several logs long
  ended = true;
  closer.join();
  EXPECT_TRUE(waited);
  EXPECT_FALSE(store->failed());
  EXPECT_NE(log_.take().find("no file descriptor is left"), std::string::npos);
  history_.check(*store);
}

TEST_F(StoreLimits, AStartWithoutDescriptorsSaysSoAndIsDoneAgainLater) {
  open_store(options())->close();
  {
    const NoDescriptorLeft none;
    const auto opened = LevelDbStore::open(options(), clock_, log_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::store_failed);
    EXPECT_NE(opened.error().detail.find("Too many open files"), std::string::npos)
        << opened.error().detail;
  }
  open_store(options());
}

TEST_F(StoreLimits, AStoreTellsHowManyDescriptorsItNeeds) {
  constexpr int segments = 20;
  LevelDbOptions exact = options();
  exact.segment_bytes = 400;
  exact.retention = {std::chrono::seconds{0}, std::chrono::seconds{0},
                     segments * exact.segment_bytes};
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

}  // namespace
}  // namespace concerto::test
