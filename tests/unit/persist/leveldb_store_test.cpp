#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "leveldb/store_files.hpp"
#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;
using persist::StoreState;

namespace {

class LevelDbStoreTest : public testing::Test {
 protected:
  LevelDbStoreTest() : options_(small_options(dir_.path() + "/store")) {}

  void open() {
    store_.reset();
    auto opened = LevelDbStore::open(options_, clock_, log_);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

  template <class T>
  T wait(Task<T> task) {
    return await_result(io_, std::move(task));
  }

  Result<> commit(Change change) { return wait(store_->commit(std::move(change))); }

  void create_saga(const std::string& gid, TransStatus end = TransStatus::submitted) {
    const Transaction saga = sample_saga(gid);
    ASSERT_TRUE(commit(create(saga)));
    if (!is_final(end)) return;
    TransDelta delta = new_status(end, 0);
    delta.at = clock_.wall_now();
    ASSERT_TRUE(commit(update(gid, TransStatus::submitted, delta)));
  }

  std::optional<Transaction> load(const std::string& gid) {
    return wait(store_->load(Gid{gid})).value();
  }

  std::vector<std::string> list_gids(std::size_t limit) {
    std::vector<std::string> gids;
    std::string position;
    do {
      const TransPage page = wait(store_->list({}, position, limit)).value();
      for (const Transaction& trans : page.transactions) gids.push_back(trans.gid.str());
      position = page.next_position;
    } while (!position.empty());
    return gids;
  }

  StoreState state() const {
    const std::string path = persist::state_path(options_.path);
    return persist::parse_state(path, file_content(path)).value();
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  LevelDbOptions options_;
  asio::io_context io_{1};
  std::unique_ptr<LevelDbStore> store_;
};

TEST_F(LevelDbStoreTest, DropsFinishedOnesPastRetentionAndKeepsUnfinishedOnes) {
  options_.segment_bytes = 4000;
  open();
  std::vector<std::string> unfinished;
  for (int i = 0; i < 30; ++i) {
    const std::string gid = "g" + std::to_string(i);
    create_saga(gid, i % 5 == 0 ? TransStatus::submitted : TransStatus::succeed);
    if (i % 5 == 0) unfinished.insert(unfinished.begin(), gid);
  }
  const auto kept = load("g5");
  ASSERT_TRUE(store_->maintain());
  EXPECT_EQ(store_->probe().segments_dropped, 0U);
  const std::uint64_t bytes_before = store_->probe().disk_bytes;
  EXPECT_GT(bytes_before, 4000U);
  clock_.advance(options_.retention.finished_expire + std::chrono::hours{1});
  create_saga("late", TransStatus::succeed);
  ASSERT_TRUE(store_->maintain());
  EXPECT_GE(store_->probe().segments_dropped, 2U);
  EXPECT_LT(store_->probe().disk_bytes, bytes_before);
  for (int restarts = 0; restarts < 2; ++restarts) {
    EXPECT_EQ(load("g1"), std::nullopt);
    EXPECT_EQ(load("g5"), kept);
    EXPECT_TRUE(load("late"));
    EXPECT_EQ(store_->unfinished_count(), unfinished.size());
    std::vector<std::string> old = list_gids(2);
    std::erase_if(old, [&](const auto& gid) {
      return std::find(unfinished.begin(), unfinished.end(), gid) == unfinished.end();
    });
    EXPECT_EQ(old, unfinished);
    open();
  }
  create_saga("g1");
  EXPECT_TRUE(commit(update("g5", TransStatus::submitted, new_status(TransStatus::failed, 9))));
  open();
  EXPECT_EQ(load("g5")->status, TransStatus::failed);
}

TEST_F(LevelDbStoreTest, AClockThatWasAheadKeepsNothingLonger) {
  options_.segment_bytes = 4000;
  clock_.advance(std::chrono::hours{24 * 365});
  open();
  for (int i = 0; i < 30; ++i) create_saga("g" + std::to_string(i), TransStatus::succeed);
  ASSERT_TRUE(store_->maintain());
  clock_.advance(-std::chrono::hours{24 * 365});
  open();
  ASSERT_TRUE(store_->maintain());
  EXPECT_EQ(store_->probe().segments_dropped, 0U);
  clock_.advance(options_.retention.finished_expire + std::chrono::hours{1});
  ASSERT_TRUE(store_->maintain());
  EXPECT_GE(store_->probe().segments_dropped, 2U);
  EXPECT_EQ(load("g1"), std::nullopt);
}

TEST_F(LevelDbStoreTest, AClockThatWasAheadEndsASegmentInTime) {
  clock_.advance(std::chrono::hours{24 * 365});
  open();
  create_saga("g1");
  clock_.advance(-std::chrono::hours{24 * 365});
  create_saga("g2");
  clock_.advance(options_.segment_age + std::chrono::hours{1});
  create_saga("g3");
  EXPECT_EQ(store_->probe().segments_opened, 1U);
}

/// Whether the store's own threads reach `done` without being asked.
template <class Done>
bool comes_true(Done done) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!done()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST_F(LevelDbStoreTest, AQuietStoreDropsWhatHasFinished) {
  open();
  create_saga("g1", TransStatus::succeed);
  clock_.advance(options_.segment_age);
  ASSERT_TRUE(comes_true([&] { return state().segments.front().sealed; }));
  EXPECT_TRUE(load("g1"));
  clock_.advance(options_.retention.finished_expire);
  ASSERT_TRUE(comes_true([&] { return store_->probe().segments_dropped == 1; }));
  EXPECT_EQ(load("g1"), std::nullopt);
}

TEST_F(LevelDbStoreTest, AFinishedOneKeepsItsNewTimeThroughRestartAndCheckpoint) {
  open();
  create_saga("g1", TransStatus::succeed);
  ASSERT_TRUE(store_->maintain());  // Its place is in a directory now.
  auto expected = load("g1");
  for (const int second : {20, 40}) {
    TransDelta delta;
    delta.at = at_second(second);
    delta.schedule = Schedule{std::chrono::seconds{10}, at_second(second), false};
    ASSERT_TRUE(commit(update("g1", TransStatus::succeed, delta)));
    apply(*expected, delta);
    EXPECT_EQ(load("g1"), expected);
    open();
    EXPECT_EQ(load("g1"), expected) << "from the log";
    ASSERT_TRUE(store_->maintain());
    EXPECT_EQ(load("g1"), expected) << "from the directory";
    open();
    EXPECT_EQ(load("g1"), expected);
  }
}

/// Changes one byte of a file while the store has it open.
void damage(const std::string& path, std::size_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char changed = static_cast<char>(file.get() ^ 1);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(changed);
}

TEST_F(LevelDbStoreTest, AMoveThatFailsWaitsForThoseThatAreQueued) {
  constexpr std::size_t payload_bytes = 1 << 20;  // more than a group takes, so each is alone
  options_.recent_bytes_max = 0;
  open();
  for (int i = 0; i < 8; ++i) {
    Transaction saga = sample_saga("g" + std::to_string(i));
    saga.payloads[0] = std::string(payload_bytes, 'x');
    ASSERT_TRUE(commit(create(saga)));
  }
  clock_.advance(options_.segment_age);
  create_saga("late");              // ends the segment
  ASSERT_TRUE(store_->maintain());  // writes its tables
  std::string last;                 // of the tables that hold large ones
  for (const std::string& table : files_below(options_.path + "/segment-000001/log", ".ldb")) {
    if (std::filesystem::file_size(table) > payload_bytes) last = table;
  }
  ASSERT_FALSE(last.empty());
  damage(last, std::filesystem::file_size(last) / 8 * 7);
  log_.take();
  clock_.advance(options_.retention.finished_expire + std::chrono::hours{1});
  EXPECT_FALSE(store_->maintain());
  EXPECT_TRUE(has_failed(*store_));
  EXPECT_NE(log_.take().find("maintenance of the store failed"), std::string::npos);
}

TEST_F(LevelDbStoreTest, KeepsFailedOnesLongerWhereThatIsWanted) {
  options_.segment_bytes = 4000;
  options_.retention = {std::chrono::hours{1}, std::chrono::hours{48}};
  open();
  for (int i = 0; i < 40; ++i) {
    // The failures are in the first segments only.
    create_saga("g" + std::to_string(i), i == 1 ? TransStatus::failed : TransStatus::succeed);
  }
  ASSERT_TRUE(store_->maintain());
  clock_.advance(std::chrono::hours{2});
  open();  // the facts of a segment are also known after a restart
  create_saga("late", TransStatus::succeed);
  ASSERT_TRUE(store_->maintain());
  EXPECT_TRUE(load("g1"));

  store_->set_retention({std::chrono::hours{1}, std::chrono::hours{1}});
  ASSERT_TRUE(store_->maintain());
  EXPECT_EQ(load("g1"), std::nullopt);
  EXPECT_GE(store_->probe().segments_dropped, 2U);
}

TEST_F(LevelDbStoreTest, DropsTheOldestAboveTheCeilingOfBytes) {
  options_.segment_bytes = 4000;
  options_.retention.finished_bytes_max = 1;
  open();
  for (int i = 0; i < 30; ++i) create_saga("g" + std::to_string(i), TransStatus::succeed);
  ASSERT_TRUE(store_->maintain());
  EXPECT_GT(store_->probe().segments_dropped, 0U);
  EXPECT_EQ(load("g0"), std::nullopt);
  EXPECT_EQ(state().segments.size(), 1U);
}

TEST_F(LevelDbStoreTest, TheCeilingOfBytesSparesUnfinishedOnes) {
  options_.segment_bytes = 4000;
  options_.retention.finished_bytes_max = 1;
  open();
  for (int i = 0; i < 20; ++i) create_saga("g" + std::to_string(i));
  ASSERT_TRUE(store_->maintain());
  EXPECT_EQ(store_->probe().segments_dropped, 0U);
  EXPECT_EQ(list_gids(100).size(), 20U);
}

TEST_F(LevelDbStoreTest, ARestartReadsTheCheckpointAndTheTail) {
  open();
  for (int i = 0; i < 20; ++i) {
    create_saga("g" + std::to_string(i), i % 2 == 0 ? TransStatus::failed : TransStatus::submitted);
  }
  ASSERT_TRUE(wait(store_->create_kv(sample_topic("t", "v"))));
  ASSERT_TRUE(store_->maintain());
  const std::uint64_t first = state().checkpoint_first;
  EXPECT_GT(first, 30U);
  create_saga("tail");
  ASSERT_TRUE(commit(update("g1", TransStatus::submitted, new_status(TransStatus::succeed, 3))));
  open();
  EXPECT_EQ(state().checkpoint_first, first);
  EXPECT_EQ(store_->unfinished_count(), 10U);
  EXPECT_EQ(load("g1")->status, TransStatus::succeed);
  EXPECT_EQ(load("g0")->status, TransStatus::failed);
  EXPECT_EQ(wait(store_->find_kv("topics", "t")).value().size(), 1U);
  const Transaction again = sample_saga("g0");
  EXPECT_EQ(commit(create(again)).error().code, EngineErrc::gid_exists);
  EXPECT_EQ(list_gids(3).size(), 21U);
}

TEST_F(LevelDbStoreTest, ALongHistoryIsWrittenAnew) {
  open();
  Transaction saga = sample_saga("g1");
  ASSERT_TRUE(commit(create(saga)));
  for (int i = 0; i < 100; ++i) {
    TransDelta delta;
    delta.at = at_second(i);
    delta.retry_count = i;
    ASSERT_TRUE(commit(update("g1", saga.status, delta, Durability::progress)));
    apply(saga, delta);
  }
  const auto groups_before = store_->probe().changes.load();
  ASSERT_TRUE(store_->maintain());
  // The list of unfinished transactions, its end, the moved record.
  EXPECT_GE(store_->probe().changes, groups_before + 3);
  EXPECT_EQ(load("g1"), saga);
  const TransDelta more = outcome(1, BranchStatus::succeed, 200);
  ASSERT_TRUE(commit(update("g1", saga.status, more)));
  apply(saga, more);
  EXPECT_EQ(list_gids(10).size(), 1U);
  open();
  EXPECT_EQ(load("g1"), saga);
}

TEST_F(LevelDbStoreTest, RefusesOnlyNewTransactionsForRoom) {
  open();
  create_saga("g1");
  options_.queue_changes_max = 0;
  open();
  const Transaction saga = sample_saga("g2");
  EXPECT_EQ(commit(create(saga)).error().code, Errc::overloaded);
  EXPECT_EQ(store_->probe().refused, 1U);
  EXPECT_TRUE(commit(update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1))));
}

TEST_F(LevelDbStoreTest, RefusesARecordThatIsTooLong) {
  open();
  Transaction saga = sample_saga("g1");
  saga.payloads[0] = std::string(std::size_t{33} << 20, 'p');
  EXPECT_EQ(commit(create(saga)).error().code, Errc::invalid_request);
  EXPECT_EQ(load("g1"), std::nullopt);
}

TEST_F(LevelDbStoreTest, TakesNoWritesAfterClose) {
  open();
  create_saga("g1");
  store_->close();
  const Transaction saga = sample_saga("g2");
  EXPECT_EQ(commit(create(saga)).error().code, EngineErrc::store_unavailable);
  EXPECT_EQ(store_->health().state, StoreHealth::State::failed);
  EXPECT_TRUE(state().clean);
}

/// Many shards, with reads and maintenance in between. Above all for ThreadSanitizer.
class LevelDbStoreThreads : public LevelDbStoreTest {
 protected:
  static constexpr int shards = 3;
  static constexpr int writers = 8;
  static constexpr int sagas = 12;

  Task<void> write(std::string prefix) {
    for (int i = 0; i < sagas; ++i) {
      const Transaction saga = sample_saga(prefix + std::to_string(i));
      const std::string gid = saga.gid.str();
      const auto progress = outcome(1, BranchStatus::succeed, 1);
      Change created = create(saga);
      note(co_await store_->commit(std::move(created)));
      Change first = update(gid, saga.status, progress, Durability::progress);
      note(co_await store_->commit(std::move(first)));
      Gid wanted{gid};
      const auto loaded = co_await store_->load(std::move(wanted));
      if (!loaded || !*loaded || (*loaded)->branches[1].status != BranchStatus::succeed)
        ++failures_;
      if (i % 3 == 0) continue;
      Change end = update(gid, saga.status, new_status(TransStatus::succeed, 2));
      note(co_await store_->commit(std::move(end)));
    }
    const auto page = co_await store_->list({}, "", 5);
    if (!page || page->transactions.empty()) ++failures_;
  }

  void note(const Result<>& done) {
    if (!done && ++failures_ == 1) std::cerr << done.error().detail << '\n';
  }

  std::atomic<int> failures_ = 0;
};

TEST_F(LevelDbStoreThreads, ShardsShareTheStore) {
  options_.segment_bytes = 30'000;
  options_.recent_bytes_max = 20'000;
  open();
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  std::vector<std::thread> threads;
  for (int shard = 0; shard < shards; ++shard) {
    contexts.push_back(std::make_unique<asio::io_context>(1));
    for (int writer = 0; writer < writers; ++writer) {
      const std::string prefix = std::to_string(shard) + "-" + std::to_string(writer) + "-";
      asio::co_spawn(*contexts.back(), write(prefix), asio::detached);
    }
  }
  for (auto& context : contexts) threads.emplace_back([&context] { context->run(); });
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(store_->maintain());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures_, 0);
  constexpr std::size_t total = shards * writers * sagas;
  EXPECT_EQ(list_gids(50).size(), total);
  open();
  EXPECT_EQ(list_gids(50).size(), total);
  EXPECT_EQ(store_->unfinished_count(), total / 3);
}

}  // namespace
}  // namespace concerto::test
