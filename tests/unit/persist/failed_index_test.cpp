#include <gmock/gmock.h>
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include "await_result.hpp"
#include "leveldb/segment.hpp"
#include "store_files.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

namespace {

/// The index of failed transactions, in a store of many small segments.
class FailedIndex : public testing::Test {
 protected:
  FailedIndex() : options_(small_options(dir_.path() + "/store")) {
    options_.segment_bytes = 3000;
    open();
  }

  void open() {
    store_.reset();
    auto opened = LevelDbStore::open(options_, clock_, log_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }

  void commit(Change change) {
    const Result<> done = await_result(io_, store_->commit(std::move(change)));
    ASSERT_TRUE(done) << done.error().detail;
  }
  void end(const std::string& gid, TransStatus status) {
    TransDelta delta = new_status(status, 0);
    delta.at = clock_.wall_now();
    commit(update(gid, TransStatus::submitted, delta));
  }
  void create_saga(const std::string& gid, TransStatus status = TransStatus::submitted) {
    const Transaction saga = sample_saga(gid);
    commit(create(saga));
    if (status != TransStatus::submitted) end(gid, status);
  }
  void maintain() { ASSERT_TRUE(store_->maintain()); }

  std::vector<std::string> failed() {
    ListFilter filter;
    filter.statuses = {TransStatus::failed};
    std::vector<std::string> gids;
    std::string position;
    do {
      const auto page = await_result(io_, store_->list(filter, position, 2)).value();
      for (const Transaction& trans : page.transactions) gids.push_back(trans.gid.str());
      position = page.next_position;
    } while (!position.empty());
    return gids;
  }

  /// The entries of the index that are on disk, of all segments, as keys and values.
  std::vector<std::pair<std::string, std::string>> stored(bool remove) {
    store_.reset();
    std::vector<std::pair<std::string, std::string>> found;
    for (const std::string& current : files_below(options_.path, "directory/CURRENT")) {
      leveldb::DB* opened = nullptr;
      const std::string path = std::filesystem::path(current).parent_path().string();
      EXPECT_TRUE(leveldb::DB::Open({}, path, &opened).ok());
      const std::unique_ptr<leveldb::DB> directory(opened);
      const std::unique_ptr<leveldb::Iterator> at(directory->NewIterator({}));
      for (at->SeekToFirst(); at->Valid(); at->Next()) {
        if (at->key()[0] != 'x' && at->key()[0] != 'i') continue;
        found.emplace_back(at->key().ToString(), at->value().ToString());
        EXPECT_TRUE(!remove || directory->Delete({}, at->key()).ok());
      }
    }
    open();
    return found;
  }

  /// Puts entries of later transactions into the index of the first segment.
  void add_failures(TransType type, std::uint64_t count) {
    store_.reset();
    leveldb::DB* opened = nullptr;
    ASSERT_TRUE(leveldb::DB::Open({}, options_.path + "/segment-000001/directory", &opened).ok());
    const std::unique_ptr<leveldb::DB> directory(opened);
    leveldb::WriteBatch batch;
    std::string value(21, '\0');
    value.back() = static_cast<char>(type);
    for (std::uint64_t i = 0; i < count; ++i) batch.Put("x" + persist::group_key(1000 + i), value);
    ASSERT_TRUE(directory->Write({}, &batch).ok());
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  LevelDbOptions options_;
  asio::io_context io_{1};
  std::unique_ptr<LevelDbStore> store_;
};

TEST_F(FailedIndex, HoldsThroughCheckpointsRestartsAndMoves) {
  options_.retention.failed_expire = std::chrono::hours{48};
  open();
  create_saga("late");
  create_saga("early", TransStatus::failed);
  for (int i = 0; i < 12; ++i) create_saga("good" + std::to_string(i), TransStatus::succeed);
  create_saga("newest", TransStatus::failed);
  for (int i = 12; i < 18; ++i) create_saga("good" + std::to_string(i), TransStatus::succeed);
  EXPECT_THAT(failed(), ElementsAre("newest", "early"));
  maintain();
  EXPECT_THAT(failed(), ElementsAre("newest", "early"));
  open();
  EXPECT_THAT(failed(), ElementsAre("newest", "early"));

  // The segment of those two is dropped. The unfinished one is written anew and fails after that.
  clock_.advance(std::chrono::hours{49});
  create_saga("last", TransStatus::succeed);
  maintain();
  maintain();
  EXPECT_GE(store_->probe().segments_dropped, 2U);
  EXPECT_THAT(failed(), IsEmpty());
  end("late", TransStatus::failed);
  EXPECT_THAT(failed(), ElementsAre("late"));
  open();
  EXPECT_THAT(failed(), ElementsAre("late"));
  maintain();
  open();
  EXPECT_THAT(failed(), ElementsAre("late"));
}

TEST_F(FailedIndex, FailuresOfAnEarlierVersionAreFound) {
  for (int i = 0; i < 9; ++i) {
    create_saga("g" + std::to_string(i), i % 3 == 0 ? TransStatus::failed : TransStatus::succeed);
    clock_.advance(std::chrono::seconds{1});
  }
  maintain();
  const auto index = stored(true);
  EXPECT_THAT(index, SizeIs(testing::Ge(4U)));
  EXPECT_THAT(failed(), ElementsAre("g6", "g3", "g0"));
  maintain();
  EXPECT_THAT(stored(false), SizeIs(index.size()));
  EXPECT_THAT(failed(), ElementsAre("g6", "g3", "g0"));
}

TEST_F(FailedIndex, FindsTheOneThatMatchesBelowVeryMany) {
  create_saga("old", TransStatus::failed);
  maintain();
  add_failures(TransType::tcc, 60'000);
  open();
  ListFilter filter;
  filter.statuses = {TransStatus::failed};
  filter.type = TransType::saga;
  const auto page = await_result(io_, store_->list(filter, "", 2)).value();
  ASSERT_THAT(page.transactions, SizeIs(1U));
  EXPECT_EQ(page.transactions[0].gid.str(), "old");
  EXPECT_EQ(page.next_position, "");
}

TEST_F(FailedIndex, IsMadeAnewWithALostDirectory) {
  create_saga("g1", TransStatus::failed);
  create_saga("g2", TransStatus::failed);
  maintain();
  store_.reset();
  std::filesystem::remove_all(options_.path + "/segment-000001/directory");
  open();
  EXPECT_THAT(failed(), ElementsAre("g2", "g1"));
}

}  // namespace
}  // namespace concerto::test
