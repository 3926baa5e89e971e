#include "commit_batcher.hpp"

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/engine/error.hpp>

namespace concerto::persist {
namespace {

/// A change of the scripted sink.
struct NamedRequest : CommitRequest {
  std::string name;
  std::size_t size = 100;
};

/// A store of which the test says which changes fail and how, as a shared database would answer for
/// each row.
class ScriptedSink final : public GroupSink {
 public:
  Result<std::size_t> add(CommitRequest& request) override {
    const auto& named = static_cast<NamedRequest&>(request);
    if (const auto known = not_added.find(named.name); known != not_added.end()) {
      return known->second;
    }
    bytes_ += named.size;
    gathered_.push_back(named.name);
    return bytes_;
  }

  Result<> write(CommitGroup& group) override {
    writes.push_back(std::exchange(gathered_, {}));
    bytes_ = 0;
    for (std::size_t i = 0; i < group.waiting().size(); ++i) {
      const auto& named = static_cast<NamedRequest&>(*group.waiting()[i]);
      const auto known = conflicts.find(named.name);
      if (known != conflicts.end()) group.refuse(i, known->second);
    }
    return result;
  }

  void written() override { ++written_groups; }

  std::map<std::string, Error> not_added;
  std::map<std::string, Error> conflicts;
  Result<> result = ok();
  std::vector<std::vector<std::string>> writes;
  int written_groups = 0;

 private:
  std::size_t bytes_ = 0;
  std::vector<std::string> gathered_;
};

class CommitBatcherTest : public testing::Test {
 protected:
  struct Asked {
    NamedRequest request;
    std::future<Result<>> answer;
  };

  Asked& ask(const std::string& name, Durability durability = Durability::durable) {
    Asked& asked = asked_.emplace_back();
    asked.request.name = name;
    asked.request.durability = durability;
    asked.request.promise = std::make_shared<std::promise<Result<>>>();
    asked.answer = asked.request.promise->get_future();
    queue_.push(asked.request);
    return asked;
  }

  std::size_t gather() {
    const std::size_t added = batcher_.gather(queue_, now_, answers_);
    answers_.send();
    return added;
  }

  std::size_t write() {
    batcher_.write();
    const std::size_t answered = batcher_.answer(answers_);
    answers_.send();
    return answered;
  }

  /// The code of the answer; absent when there is none yet.
  static std::optional<error_code> code(Asked& asked) {
    if (asked.answer.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      return std::nullopt;
    }
    const Result<> result = asked.answer.get();
    return result ? error_code{} : result.error().code;
  }

  static constexpr GroupLimits limits{.bytes_max = 1000,
                                      .changes_max = 5,
                                      .progress_bytes_max = 300,
                                      .progress_delay_max = std::chrono::milliseconds{20}};
  static constexpr error_code done{};
  ScriptedSink sink_;
  CommitBatcher batcher_{sink_, limits};
  RequestList queue_;
  Answers answers_;
  std::deque<Asked> asked_;
  SteadyTime now_{};
};

TEST_F(CommitBatcherTest, ALoneDurableChangeIsDueAtOnceAndAnsweredAfterTheWrite) {
  EXPECT_EQ(batcher_.due(), std::nullopt);
  Asked& asked = ask("a");
  EXPECT_EQ(gather(), 1U);
  EXPECT_EQ(batcher_.due(), now_);
  EXPECT_EQ(code(asked), std::nullopt);
  batcher_.write();
  EXPECT_EQ(sink_.written_groups, 0);
  EXPECT_EQ(code(asked), std::nullopt);
  EXPECT_EQ(batcher_.answer(answers_), 1U);
  EXPECT_EQ(sink_.written_groups, 1);
  answers_.send();
  EXPECT_EQ(code(asked), done);
  EXPECT_EQ(batcher_.due(), std::nullopt);
}

TEST_F(CommitBatcherTest, ProgressIsAnsweredWhenAddedAndWrittenAfterItsDelay) {
  Asked& progress = ask("a", Durability::progress);
  gather();
  EXPECT_EQ(code(progress), done);
  EXPECT_EQ(batcher_.due(), now_ + limits.progress_delay_max);
  now_ += std::chrono::milliseconds{5};
  ask("b");
  gather();
  EXPECT_LE(batcher_.due(), now_);
  EXPECT_EQ(write(), 1U);
  EXPECT_EQ(sink_.writes, (std::vector<std::vector<std::string>>{{"a", "b"}}));
}

TEST_F(CommitBatcherTest, MuchProgressIsDueAtOnce) {
  for (int i = 0; i < 3; ++i) ask("a", Durability::progress);
  gather();
  EXPECT_EQ(batcher_.due(), now_);
}

TEST_F(CommitBatcherTest, AFullGroupLeavesTheRestForTheNext) {
  for (int i = 0; i < 3; ++i) ask("large").request.size = limits.bytes_max / 2;
  EXPECT_EQ(gather(), 2U);
  write();
  for (std::size_t i = 0; i < limits.changes_max; ++i) ask("small");
  EXPECT_EQ(gather(), limits.changes_max);
  EXPECT_FALSE(queue_.empty());
  write();
  EXPECT_EQ(gather(), 1U);
  EXPECT_EQ(batcher_.group().changes(), 1U);
  EXPECT_EQ(batcher_.group().bytes(), 100U);
}

TEST_F(CommitBatcherTest, WhatTheSinkDoesNotAddIsAnsweredAtOnceAndNotWritten) {
  sink_.not_added["b"] = make_error(EngineErrc::gid_exists, "b exists");
  Asked& first = ask("a");
  Asked& second = ask("b");
  EXPECT_EQ(gather(), 1U);
  EXPECT_EQ(code(second), EngineErrc::gid_exists);
  EXPECT_EQ(code(first), std::nullopt);
  write();
  EXPECT_EQ(code(first), done);
  EXPECT_EQ(sink_.writes, (std::vector<std::vector<std::string>>{{"a"}}));
}

TEST_F(CommitBatcherTest, AConflictFailsItsOwnChangeAlone) {
  sink_.conflicts["b"] = make_error(EngineErrc::status_mismatch, "b is not submitted");
  Asked& first = ask("a");
  Asked& second = ask("b");
  Asked& third = ask("c");
  gather();
  EXPECT_EQ(write(), 3U);
  EXPECT_EQ(code(first), done);
  EXPECT_EQ(code(second), EngineErrc::status_mismatch);
  EXPECT_EQ(code(third), done);
  EXPECT_FALSE(batcher_.failed());
}

TEST_F(CommitBatcherTest, WorkGoesOnAfterAGroupOfWhichEachChangeWasRefused) {
  sink_.conflicts["a"] = make_error(EngineErrc::store_busy, "the database is away");
  Asked& refused = ask("a");
  gather();
  write();
  EXPECT_EQ(code(refused), EngineErrc::store_busy);
  sink_.conflicts.clear();
  Asked& again = ask("a");
  gather();
  EXPECT_EQ(batcher_.due(), now_);
  write();
  EXPECT_EQ(code(again), done);
}

TEST_F(CommitBatcherTest, AfterAFailedWriteNothingIsWritten) {
  Asked& waiting = ask("a");
  gather();
  Asked& queued = ask("b");
  sink_.result = make_error(EngineErrc::store_failed, "the disk is full");
  write();
  EXPECT_TRUE(batcher_.failed());
  EXPECT_EQ(code(waiting), EngineErrc::store_failed);
  EXPECT_EQ(sink_.written_groups, 0);
  EXPECT_EQ(gather(), 0U);
  EXPECT_EQ(code(queued), EngineErrc::store_unavailable);
  EXPECT_EQ(batcher_.due(), std::nullopt);
}

TEST_F(CommitBatcherTest, AFailureElsewhereEndsTheWritesToo) {
  ask("a", Durability::progress);
  gather();
  batcher_.fail(make_error(EngineErrc::store_failed, "no checkpoint"));
  EXPECT_EQ(batcher_.due(), std::nullopt);
  Asked& queued = ask("b");
  gather();
  EXPECT_EQ(code(queued), EngineErrc::store_unavailable);
}

TEST(Pace, WaitsForMoreChangesOnlyUnderLoadAndForLessThanASync) {
  using std::chrono::microseconds;
  EXPECT_EQ(pace_after(1, microseconds{300}).changes, 0U);
  EXPECT_EQ(pace_after(1, microseconds{300}).at_most, microseconds{0});
  EXPECT_EQ(pace_after(64, microseconds{300}).changes, 64U);
  EXPECT_EQ(pace_after(64, microseconds{300}).at_most, microseconds{150});
  EXPECT_EQ(pace_after(64, std::chrono::seconds{1}).at_most, microseconds{250});
}

}  // namespace
}  // namespace concerto::persist
