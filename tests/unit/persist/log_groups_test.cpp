#include <deque>

#include <gtest/gtest.h>

#include "commit_batcher.hpp"
#include "leveldb/ledger.hpp"
#include "sample_transactions.hpp"

namespace concerto::persist {
namespace {

using test::at_second;
using test::outcome;
using test::sample_branch;
using test::sample_saga;

/// The store's sink with a result in place of the disk.
class LedgerSink final : public GroupSink {
 public:
  explicit LedgerSink(Ledger& ledger) : ledger_(ledger) {}

  Result<std::size_t> add(CommitRequest& request) override {
    return ledger_.order(static_cast<LogRequest&>(request));
  }
  Result<> write(CommitGroup&) override {
    last = ledger_.take_group();
    return result;
  }
  void written() override { ledger_.written(); }

  Result<> result = ok();
  Ledger::Group last{};

 private:
  Ledger& ledger_;
};

/// A batcher and a ledger, step by step: no thread, no disk, and time only as the test says.
class LogGroups : public testing::Test {
 protected:
  /// A change with everything that its request points to, and its answer.
  struct Asked {
    LogRequest request;
    Transaction trans;
    UpdateTrans update;
    KvRecord kv;
    std::future<Result<>> answer;
  };

  Asked& ask(LogRequest::Kind kind, Durability durability) {
    Asked& asked = asked_.emplace_back();
    asked.request.kind = kind;
    asked.request.durability = durability;
    asked.request.promise = std::make_shared<std::promise<Result<>>>();
    asked.answer = asked.request.promise->get_future();
    queue_.push(asked.request);
    return asked;
  }

  Asked& create(const std::string& gid) {
    Asked& asked = ask(LogRequest::Kind::create, Durability::durable);
    asked.trans = sample_saga(gid);
    asked.request.trans = &asked.trans;
    asked.request.fingerprint = fingerprint(key, gid);
    asked.request.record = encode_transaction(RecordKind::submit, asked.trans);
    return asked;
  }

  Asked& update(const std::string& gid, TransStatus expected, TransDelta delta,
                Durability durability = Durability::durable) {
    Asked& asked = ask(LogRequest::Kind::update, durability);
    asked.update = UpdateTrans{Gid{gid}, expected, std::move(delta)};
    const bool finishes = asked.update.delta.status && is_final(*asked.update.delta.status);
    const RecordKind kind = finishes                             ? RecordKind::finish
                            : durability == Durability::progress ? RecordKind::progress
                                                                 : RecordKind::decision;
    asked.request.update = &asked.update;
    asked.request.fingerprint = fingerprint(key, gid);
    asked.request.record = encode_delta(kind, asked.update.gid, asked.update.delta);
    return asked;
  }

  void gather() {
    batcher_.gather(queue_, now_, answers_);
    answers_.send();
  }

  void answer() {
    batcher_.answer(answers_);
    answers_.send();
  }

  void write(const Result<>& result = ok()) {
    sink_.result = result;
    batcher_.write();
    answer();
  }

  static bool answered(const Asked& asked) {
    return asked.answer.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
  }

  static error_code code(Asked& asked) {
    if (!answered(asked)) return make_error_code(Errc::deadline_exceeded);
    const Result<> result = asked.answer.get();
    return result ? error_code{} : result.error().code;
  }

  std::optional<Transaction> visible(const std::string& gid) {
    const auto found = ledger_.find(fingerprint(key, gid)).value();
    if (found.chain.records.empty()) return std::nullopt;
    return build(found.chain).value();
  }

  static constexpr FingerprintKey key = {1, 2};
  static constexpr GroupLimits limits{};
  SegmentSet segments_;
  Ledger ledger_{segments_, key, 1 << 20};
  LedgerSink sink_{ledger_};
  CommitBatcher batcher_{sink_};
  RequestList queue_;
  Answers answers_;
  std::deque<Asked> asked_;
  SteadyTime now_{};
};

TEST_F(LogGroups, ALoneDurableChangeIsDueAtOnceAndAnsweredWhenWritten) {
  Asked& asked = create("g1");
  gather();
  EXPECT_EQ(batcher_.due(), now_);
  EXPECT_FALSE(answered(asked));
  EXPECT_EQ(visible("g1"), std::nullopt);
  write();
  EXPECT_EQ(code(asked), error_code{});
  EXPECT_EQ(visible("g1"), asked.trans);
  EXPECT_EQ(batcher_.due(), std::nullopt);
}

TEST_F(LogGroups, ManyChangesShareAGroup) {
  for (int i = 0; i < 100; ++i) create("g" + std::to_string(i));
  gather();
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(batcher_.group().changes(), 100U);
  write();
  EXPECT_EQ(sink_.last.number, 1U);
  for (Asked& asked : asked_) EXPECT_EQ(code(asked), error_code{});
}

TEST_F(LogGroups, TheBytesOfAGroupAreThoseOfItsValue) {
  create("g1");
  update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1));
  Asked& put = ask(LogRequest::Kind::kv_create, Durability::durable);
  put.kv = test::sample_topic("t", "v");
  put.request.kv = &put.kv;
  gather();
  const std::size_t bytes = batcher_.group().bytes();
  write();
  EXPECT_EQ(sink_.last.value->size(), bytes);
  EXPECT_EQ(batcher_.group().bytes(), 0U);
}

TEST_F(LogGroups, AFullGroupLeavesTheRestForTheNext) {
  for (int i = 0; i < 3; ++i) {
    Asked& asked = create("g" + std::to_string(i));
    asked.trans.payloads[0] = std::string(limits.bytes_max, 'p');
    asked.request.record = encode_transaction(RecordKind::submit, asked.trans);
  }
  gather();
  write();
  EXPECT_EQ(code(asked_[0]), error_code{});
  EXPECT_FALSE(answered(asked_[1]));
  gather();
  write();
  EXPECT_EQ(sink_.last.number, 2U);
}

TEST_F(LogGroups, ProgressIsAnsweredWhenOrderedAndWrittenAfterItsDelay) {
  create("g1");
  gather();
  write();
  Asked& progress = update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 1),
                           Durability::progress);
  gather();
  EXPECT_EQ(code(progress), error_code{});
  EXPECT_EQ(batcher_.due(), now_ + limits.progress_delay_max);
  EXPECT_EQ(visible("g1")->branches[1].status, BranchStatus::succeed);
  now_ += std::chrono::milliseconds{5};
  create("g2");
  gather();
  EXPECT_LE(*batcher_.due(), now_);
}

TEST_F(LogGroups, MuchProgressIsDueAtOnce) {
  create("g1");
  gather();
  write();
  TransDelta delta = outcome(1, BranchStatus::succeed, 1);
  delta.result = std::string(limits.progress_bytes_max, 'r');
  update("g1", TransStatus::submitted, delta, Durability::progress);
  gather();
  EXPECT_EQ(batcher_.due(), now_);
}

TEST_F(LogGroups, PreconditionsHoldAgainstChangesOfTheSameGroup) {
  create("g1");
  Asked& again = create("g1");
  TransDelta abort = test::new_status(TransStatus::aborting, 1);
  Asked& aborted = update("g1", TransStatus::submitted, abort);
  Asked& late = update("g1", TransStatus::submitted, outcome(1, BranchStatus::succeed, 2));
  Asked& unknown = update("g2", TransStatus::submitted, abort);
  gather();
  EXPECT_EQ(code(again), EngineErrc::gid_exists);
  EXPECT_EQ(code(late), EngineErrc::status_mismatch);
  EXPECT_EQ(code(unknown), EngineErrc::trans_not_found);
  EXPECT_FALSE(answered(aborted));
  write();
  EXPECT_EQ(code(aborted), error_code{});
}

TEST_F(LogGroups, BranchesAreCheckedAgainstChangesOfTheSameGroup) {
  create("g1");
  TransDelta delta;
  delta.new_branches = {sample_branch("09", "try")};
  update("g1", TransStatus::submitted, delta);
  Asked& again = update("g1", TransStatus::submitted, delta);
  TransDelta outside = outcome(5, BranchStatus::succeed, 1);
  Asked& beyond = update("g1", TransStatus::submitted, outside);
  gather();
  EXPECT_EQ(code(again), EngineErrc::branch_exists);
  EXPECT_EQ(code(beyond), Errc::invalid_request);
}

TEST_F(LogGroups, ReadsDoNotSeeWhatACrashCouldTakeBack) {
  create("g1");
  gather();
  write();
  const auto before = visible("g1");
  update("g1", TransStatus::submitted, test::new_status(TransStatus::aborting, 1));
  update("g1", TransStatus::aborting, outcome(1, BranchStatus::failed, 2), Durability::progress);
  gather();
  EXPECT_EQ(visible("g1"), before);
  batcher_.write();
  EXPECT_EQ(visible("g1"), before);
  answer();
  EXPECT_EQ(visible("g1")->status, TransStatus::aborting);
  EXPECT_EQ(visible("g1")->branches[1].status, BranchStatus::failed);
}

TEST_F(LogGroups, AFailedWriteAnswersUnknownAndThenNothingIsWritten) {
  Asked& waiting = create("g1");
  gather();
  Asked& queued = create("g2");
  write(make_error(EngineErrc::store_failed, "the disk is full"));
  EXPECT_EQ(code(waiting), EngineErrc::store_failed);
  gather();
  EXPECT_EQ(code(queued), EngineErrc::store_unavailable);
  EXPECT_EQ(batcher_.due(), std::nullopt);
  EXPECT_EQ(visible("g1"), std::nullopt);
}

TEST_F(LogGroups, AMovedTransactionReplacesItsHistoryUnlessItHasChanged) {
  Asked& created = create("g1");
  gather();
  write();
  const auto move = [this, &created](Place from) -> Asked& {
    Asked& asked = ask(LogRequest::Kind::move, Durability::durable);
    asked.request.fingerprint = fingerprint(key, "g1");
    asked.request.moved_from = from;
    asked.request.record = encode_transaction(RecordKind::moved, created.trans);
    return asked;
  };
  Asked& stale = move(Place{7, 7});
  Asked& moved = move(created.request.place);
  gather();
  EXPECT_EQ(code(stale), EngineErrc::status_mismatch);
  EXPECT_EQ(visible("g1"), created.trans);
  write();
  EXPECT_EQ(code(moved), error_code{});
  EXPECT_EQ(visible("g1"), created.trans);
  EXPECT_EQ(ledger_.find(fingerprint(key, "g1")).value().chain.records.size(), 1U);
}

TEST_F(LogGroups, KeyValueRecordsAreSeenWhenDurable) {
  Asked& put = ask(LogRequest::Kind::kv_create, Durability::durable);
  put.kv = test::sample_topic("t", "v");
  put.request.kv = &put.kv;
  Asked& again = ask(LogRequest::Kind::kv_create, Durability::durable);
  again.kv = put.kv;
  again.request.kv = &again.kv;
  gather();
  EXPECT_EQ(code(again), EngineErrc::key_exists);
  EXPECT_TRUE(ledger_.find_kv("", "").empty());
  write();
  EXPECT_EQ(ledger_.find_kv("", "").size(), 1U);
}

}  // namespace
}  // namespace concerto::persist
