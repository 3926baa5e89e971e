// What a change costs before it reaches the disk: encoding, and forming groups.

#include "commit_batcher.hpp"
#include "counted_case.hpp"
#include "leveldb/ledger.hpp"
#include "leveldb/record.hpp"
#include "still_clock.hpp"

namespace concerto::bench {
namespace {

using namespace persist;

Transaction make_saga(std::size_t number) {
  Transaction trans;
  trans.gid = Gid("transaction-of-a-bench-" + std::to_string(number));
  trans.status = TransStatus::submitted;
  trans.protocol = Protocol::grpc;
  trans.payloads.assign(2, std::string(100, 'p'));
  for (const char* id : {"01", "02"}) {
    for (const char* op : {"compensate", "action"}) {
      Branch branch;
      branch.branch_id = BranchId(id);
      branch.op = op;
      branch.url = "bank.example:80/pkg.Bank/Transfer";
      branch.payload = id[1] == '1' ? 0 : 1;
      trans.branches.push_back(std::move(branch));
    }
  }
  return trans;
}

TransDelta make_end() {
  TransDelta delta;
  delta.status = TransStatus::succeed;
  delta.branch_changes = {{1, BranchStatus::succeed, {}}, {3, BranchStatus::succeed, {}}};
  return delta;
}

class EncodeCase final : public CountedCase {
 public:
  bool run(std::size_t count) override {
    const Transaction trans = make_saga(0);
    const TransDelta end = make_end();
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      bytes += encode_transaction(RecordKind::submit, trans).payload.size();
      bytes += encode_delta(RecordKind::finish, trans.gid, end).payload.size();
    }
    return bytes > count;
  }
};

class DecodeCase final : public CountedCase {
 public:
  bool run(std::size_t count) override {
    const EncodedRecord record = encode_transaction(RecordKind::submit, make_saga(0));
    bool good = true;
    for (std::size_t i = 0; i < count; ++i) good = good && decode_transaction(record.payload);
    return good;
  }
};

/// The sink of the store without a disk: it orders changes and forms groups, and writes nothing.
class LedgerSink final : public GroupSink {
 public:
  explicit LedgerSink(Ledger& ledger) : ledger_(ledger) {}

  Result<std::size_t> add(CommitRequest& request) override {
    return ledger_.order(static_cast<LogRequest&>(request));
  }
  Result<> write(CommitGroup&) override {
    ledger_.take_group();
    return ok();
  }
  void written() override { ledger_.written(); }

 private:
  Ledger& ledger_;
};

/// Creates and ends transactions, 64 changes in a group.
class GroupCase final : public CountedCase {
 public:
  bool run(std::size_t count) override {
    std::vector<LogRequest> requests(2 * group);
    std::vector<Transaction> transactions(group);
    bool good = true;
    for (std::size_t done = 0; done < count; done += group) {
      for (std::size_t i = 0; i < group; ++i) transactions[i] = make_saga(done + i);
      good = good && commit(requests, transactions);
    }
    return good;
  }

 private:
  static constexpr std::size_t group = 32;

  bool commit(std::vector<LogRequest>& requests, std::vector<Transaction>& transactions) {
    std::vector<UpdateTrans> updates(group);
    for (std::size_t i = 0; i < group; ++i) {
      LogRequest& create = requests[2 * i];
      create = {};
      create.executor = executor_;
      create.kind = LogRequest::Kind::create;
      create.trans = &transactions[i];
      create.fingerprint = fingerprint(key_, transactions[i].gid.view());
      create.record = encode_transaction(RecordKind::submit, transactions[i]);
      updates[i] = {transactions[i].gid, TransStatus::submitted, make_end()};
      LogRequest& end = requests[2 * i + 1];
      end = {};
      end.executor = executor_;
      end.kind = LogRequest::Kind::update;
      end.update = &updates[i];
      end.fingerprint = create.fingerprint;
      end.record = encode_delta(RecordKind::finish, transactions[i].gid, updates[i].delta);
    }
    RequestList queue;
    for (LogRequest& request : requests) queue.push(request);
    Answers answers;
    const std::size_t added = batcher_.gather(queue, clock_.steady_now(), answers);
    batcher_.write();
    batcher_.answer(answers);
    return added == requests.size();
  }

  StillClock clock_;
  asio::io_context shard_;
  Executor executor_ = shard_.get_executor();  // the answers are not sent: nothing runs there
  FingerprintKey key_{1, 2};
  SegmentSet segments_;
  Ledger ledger_{segments_, key_, std::size_t{1} << 20};
  LedgerSink sink_{ledger_};
  CommitBatcher batcher_{sink_};
};

}  // namespace

std::vector<CountedRow> store_cases() {
  return {{"store/encode", 5'000, make_case<EncodeCase>},
          {"store/decode", 5'000, make_case<DecodeCase>},
          {"store/group", 3'200, make_case<GroupCase>}};
}

}  // namespace concerto::bench
