#include "migration.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/persist/memory_store.hpp>
#include <concerto/persist/store_factory.hpp>

#include "await_result.hpp"
#include "fake_clock.hpp"
#include "sample_transactions.hpp"
#include "temp_dir.hpp"

namespace concerto::tools {
namespace {

using persist::MemoryStore;
using testing::ElementsAre;
using testing::HasSubstr;
using End = MigrationReport::End;

class Silence final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
};

/// Changes a store before each list, or shows more records than there are.
class ChangingStore final : public persist::ManagedStore {
 public:
  explicit ChangingStore(MemoryStore& store) : store_(store) {}

  std::function<void()> before_list = [] {};
  std::size_t shown_records = 0;

  Async<> commit(const Change& change) override { return store_.commit(change); }
  Async<std::optional<Transaction>> load(Gid gid) override { return store_.load(std::move(gid)); }
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override {
    return store_.scan_unfinished(from, limit);
  }
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override {
    before_list();
    return store_.list(std::move(filter), std::move(position), limit);
  }
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override {
    if (shown_records > 0) co_return std::vector<KvRecord>(shown_records);
    co_return co_await store_.find_kv(std::move(cat), std::move(key));
  }
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override {
    return store_.scan_kv(std::move(cat), std::move(position), limit);
  }
  Async<> create_kv(KvRecord record) override { return store_.create_kv(std::move(record)); }
  Async<> update_kv(KvRecord record) override { return store_.update_kv(std::move(record)); }
  Async<> delete_kv(std::string cat, std::string key) override {
    return store_.delete_kv(std::move(cat), std::move(key));
  }
  void set_retention(const persist::StoreRetention&) override {}
  Result<> maintain() override { return ok(); }
  void close() override {}

 private:
  MemoryStore& store_;
};

class MigrationTest : public testing::Test {
 protected:
  template <class T>
  T wait(Task<T> task) {
    return test::await_result(io_, std::move(task));
  }

  /// Transactions of every status, more than a page of them, and two topics.
  void fill(Store& store, int count = 600) {
    for (int i = 0; i < count; ++i) {
      Transaction trans = test::sample_saga("g" + std::to_string(i), i);
      trans.type = static_cast<TransType>(1 + i % 5);
      trans.status = static_cast<TransStatus>(1 + i % 5);
      trans.update_time += std::chrono::nanoseconds(123'456'789);
      if (is_final(trans.status)) trans.finish_time = trans.update_time;
      trans.waits = i % 2 == 0 && !is_final(trans.status);
      trans.retry_count = i;
      trans.branches[1].status = BranchStatus::succeed;
      trans.branches[1].finish_time = trans.update_time;
      filled_.push_back(std::move(trans));
    }
    for (const Transaction& trans : filled_) ASSERT_TRUE(wait(store.commit(test::create(trans))));
    KvRecord topic = test::sample_topic("news", "[]");
    ASSERT_TRUE(wait(store.create_kv(topic)));
    ASSERT_TRUE(wait(store.update_kv(topic)));
    ASSERT_TRUE(wait(store.create_kv(test::sample_topic("sports", "[1]"))));
  }

  MigrationReport migrate(persist::ManagedStore& from, persist::ManagedStore& to,
                          MigrationOptions options = {}) {
    MigrationEnd source(from, from_name_);
    source.errors = [this] { return logged_errors_; };
    Migration migration(std::move(source), MigrationEnd(to, "to"), options, clock_, progress_);
    Result<MigrationReport> report = wait(migration.run());
    if (report) return *report;
    MigrationReport failed;
    failed.end = End::failed;
    failed.problems.push_back(report.error().detail);
    return failed;
  }

  /// All of them, in the order of their creation.
  std::vector<Transaction> all_of(Store& store) {
    std::vector<Transaction> all;
    std::string position;
    do {
      WholePage page = wait(read_whole_page(store, position)).value();
      for (Transaction& trans : page.transactions) all.push_back(std::move(trans));
      position = page.next_position;
    } while (!position.empty());
    std::reverse(all.begin(), all.end());
    return all;
  }
  std::vector<KvRecord> records_of(Store& store) { return wait(store.find_kv("", "")).value(); }

  asio::io_context io_{1};
  test::FakeClock clock_;
  Silence log_;
  std::ostringstream shown_;
  Progress progress_{shown_, false, clock_};
  std::string from_name_ = "from";
  std::size_t logged_errors_ = 0;
  std::vector<Transaction> filled_;
  MemoryStore source_, target_;
};

TEST_F(MigrationTest, CopiesEverythingAsItIsAndInItsOrder) {
  fill(source_);
  const MigrationReport report = migrate(source_, target_);
  EXPECT_EQ(report.end, End::done) << testing::PrintToString(report.problems);
  EXPECT_EQ(report.copied, 600U);
  EXPECT_EQ(report.topics, 2U);
  EXPECT_EQ(all_of(target_), filled_);
  EXPECT_EQ(records_of(target_), records_of(source_));
  EXPECT_EQ(records_of(target_).front().version, 2);
}

TEST_F(MigrationTest, GoesToAStoreOnADiskAndBack) {
  fill(source_);
  const test::TempDir directory;
  persist::StoreSettings settings;
  settings.path = directory.path();
  settings.retention.finished_expire = std::chrono::years{100};
  const auto kinds = persist::StoreKinds::standard();
  for (const bool first : {true, false}) {
    auto disk = kinds.open(settings, clock_, log_).value();
    const MigrationReport report = first ? migrate(source_, *disk) : migrate(*disk, target_);
    EXPECT_EQ(report.end, End::done) << testing::PrintToString(report.problems);
    disk->close();
  }
  EXPECT_EQ(all_of(target_), filled_);
  EXPECT_EQ(records_of(target_), records_of(source_));
}

TEST_F(MigrationTest, ADryRunCountsAndChangesNothing) {
  fill(source_);
  const MigrationReport report = migrate(source_, target_, {.only_counts = true, .adds = false});
  EXPECT_EQ(report.end, End::done);
  EXPECT_EQ(report.source.count, 600U);
  EXPECT_EQ(report.source.by_status[static_cast<std::size_t>(TransStatus::failed)], 120U);
  EXPECT_EQ(target_.commits(), 0U);
}

TEST_F(MigrationTest, GoesOnAfterAnInterruption) {
  fill(source_);
  ASSERT_TRUE(wait(target_.create_kv({migration_category, "begun", "0 from", 1, {}, {}})));
  // What an interrupted run leaves behind: whole pages, and a part of the next one.
  for (std::size_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(wait(target_.commit(test::create(filled_[i]))));
  }
  const MigrationReport report = migrate(source_, target_);
  EXPECT_EQ(report.end, End::done) << testing::PrintToString(report.problems);
  EXPECT_EQ(report.copied, 300U);
  EXPECT_EQ(report.found_there, 300U);
  EXPECT_EQ(all_of(target_), filled_);
  EXPECT_EQ(records_of(target_), records_of(source_));
}

TEST_F(MigrationTest, GoesOnAfterTheSourceHasGrown) {
  fill(source_);
  ASSERT_TRUE(wait(target_.create_kv({migration_category, "begun", "0 from", 1, {}, {}})));
  // The pages of the first run began with 0, 88 and 344, and it was interrupted in the second one.
  for (std::size_t i = 0; i < 200; ++i) {
    if (i == 90) continue;
    ASSERT_TRUE(wait(target_.commit(test::create(filled_[i]))));
  }
  // They begin with 0, 98 and 354 now.
  for (int i = 0; i < 10; ++i) {
    const Transaction later = test::sample_saga("later" + std::to_string(i));
    ASSERT_TRUE(wait(source_.commit(test::create(later))));
  }
  const MigrationReport report = migrate(source_, target_);
  EXPECT_EQ(report.end, End::done) << testing::PrintToString(report.problems);
  EXPECT_EQ(report.copied, 411U);
  EXPECT_EQ(all_of(target_).size(), 610U);
}

TEST_F(MigrationTest, GoesOnWhereTheTargetHadATransactionOfTheSource) {
  fill(source_, 900);
  ASSERT_TRUE(wait(target_.create_kv({migration_category, "begun", "0 from", 1, {}, {}})));
  // The oldest one of the third page; of the pages before nothing is copied yet.
  ASSERT_TRUE(wait(target_.commit(test::create(filled_[388]))));
  const MigrationReport report = migrate(source_, target_, {.only_counts = false, .adds = true});
  EXPECT_EQ(report.end, End::done) << testing::PrintToString(report.problems);
  EXPECT_EQ(report.copied, 899U);
}

TEST_F(MigrationTest, AMigrationIsNotOverWhileSomethingCannotBeRead) {
  fill(source_, 10);
  logged_errors_ = 2;
  EXPECT_EQ(migrate(source_, target_, {.only_counts = true, .adds = false}).end, End::failed);
  const MigrationReport report = migrate(source_, target_);
  EXPECT_EQ(report.end, End::failed);
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr("from has logged 2 errors")));
  logged_errors_ = 0;
  const MigrationReport second = migrate(source_, target_);
  EXPECT_EQ(second.end, End::done) << testing::PrintToString(second.problems);
  EXPECT_EQ(second.found_there, 10U);
}

TEST_F(MigrationTest, TwoNamesOfOneStoreAreNoticed) {
  fill(source_, 10);
  const MigrationReport report = migrate(source_, source_, {.only_counts = false, .adds = true});
  EXPECT_EQ(report.end, End::refused);
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr("from and to are the same store")));
  EXPECT_EQ(records_of(source_).size(), 2U);
}

TEST_F(MigrationTest, TopicsThatAListMayNotShowAreNotLeftOut) {
  fill(source_, 10);
  ChangingStore many(source_);
  many.shown_records = 100'000;
  const MigrationReport report = migrate(many, target_);
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr("too many topics")));
  EXPECT_EQ(target_.commits(), 0U);
}

TEST(MigrationProgress, WhatFollowsAnInterruptionBeginsOnANewLine) {
  test::FakeClock clock;
  std::ostringstream shown;
  Progress progress(shown, true, clock);
  progress.begin("copying", 10);
  EXPECT_EQ(shown.str(), "\rcopying: [" + std::string(30, ' ') + "] 0 of 10\x1b[K");
  clock.advance(std::chrono::seconds(2));
  progress.advance(5);
  EXPECT_THAT(shown.str(), testing::EndsWith(" 5 of 10, 2 per second\x1b[K"));
  progress.interrupt();
  EXPECT_THAT(shown.str(), testing::EndsWith("\x1b[K\n"));
  progress.interrupt();
  EXPECT_THAT(shown.str(), testing::Not(testing::EndsWith("\n\n")));
}

TEST_F(MigrationTest, ABegunMigrationOfAnotherSourceIsRefused) {
  fill(source_, 10);
  ASSERT_TRUE(wait(target_.create_kv({migration_category, "begun", "0 elsewhere", 1, {}, {}})));
  const MigrationReport report = migrate(source_, target_);
  EXPECT_EQ(report.end, End::refused);
  EXPECT_THAT(report.problems, ElementsAre(HasSubstr("elsewhere")));
}

TEST_F(MigrationTest, ATargetThatIsNotEmptyIsRefusedUnlessToldOtherwise) {
  fill(source_, 10);
  const Transaction other = test::sample_saga("other");
  ASSERT_TRUE(wait(target_.commit(test::create(other))));
  EXPECT_EQ(migrate(source_, target_).end, End::refused);
  EXPECT_EQ(target_.commits(), 1U);
  const MigrationReport report = migrate(source_, target_, {.only_counts = false, .adds = true});
  EXPECT_EQ(report.end, End::done) << testing::PrintToString(report.problems);
  EXPECT_EQ(all_of(target_).size(), 11U);
}

TEST_F(MigrationTest, AnotherTransactionOfTheSameGidIsNamed) {
  fill(source_, 10);
  Transaction other = filled_[4];
  other.result = "another";
  ASSERT_TRUE(wait(target_.commit(test::create(other))));
  const MigrationReport report = migrate(source_, target_, {.only_counts = false, .adds = true});
  EXPECT_EQ(report.end, End::failed);
  EXPECT_THAT(report.problems, ElementsAre(testing::AllOf(HasSubstr("'g4'"), HasSubstr("to: "))));
}

TEST_F(MigrationTest, ASourceThatChangesWhileItIsCopiedIsNoticed) {
  fill(source_);
  ChangingStore changing(source_);
  int lists = 0;
  // The pages are counted first (3 lists), and copied then (3 lists).
  changing.before_list = [this, &lists] {
    if (++lists != 7) return;
    asio::io_context io;
    ASSERT_TRUE(test::await_result(
        io, source_.commit(test::update("g1", filled_[1].status,
                                        test::outcome(0, BranchStatus::succeed, 9)))));
    const Transaction fresh = test::sample_saga("fresh");
    ASSERT_TRUE(test::await_result(io, source_.commit(test::create(fresh))));
  };
  const MigrationReport report = migrate(changing, target_);
  EXPECT_EQ(report.end, End::failed);
  EXPECT_THAT(report.problems,
              testing::UnorderedElementsAre(
                  testing::AllOf(HasSubstr("did not stand still"), HasSubstr("'fresh' is new")),
                  testing::AllOf(HasSubstr("did not stand still"), HasSubstr("'g1' has changed"))));
}

TEST_F(MigrationTest, ASourceThatHasChangedSinceAnEarlierRunIsNoConflictInTheTarget) {
  fill(source_, 10);
  Transaction earlier = filled_[4];
  earlier.result = "before the interruption";
  ASSERT_TRUE(wait(target_.create_kv({migration_category, "begun", "0 from", 1, {}, {}})));
  ASSERT_TRUE(wait(target_.commit(test::create(earlier))));
  const MigrationReport report = migrate(source_, target_);
  EXPECT_EQ(report.end, End::failed);
  EXPECT_THAT(report.problems,
              ElementsAre(testing::AllOf(HasSubstr("'g4' differs from the source's: the source has "
                                                   "changed since an earlier run"),
                                         HasSubstr("concertod -r"))));
}

TEST_F(MigrationTest, AnEmptySourceIsNotCopied) {
  EXPECT_EQ(migrate(source_, target_).end, End::refused);
}

TEST_F(MigrationTest, ATargetOfAnUnfinishedMigrationIsNoSource) {
  fill(source_, 10);
  ASSERT_TRUE(wait(source_.create_kv({migration_category, "begun", "0 x", 1, {}, {}})));
  EXPECT_EQ(migrate(source_, target_).end, End::refused);
}

}  // namespace
}  // namespace concerto::tools
