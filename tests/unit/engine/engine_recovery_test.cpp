// Transactions that end while a coordinator reads the unfinished ones.

#include "engine_fixture.hpp"

namespace concerto::test {
namespace {

/// A store that stops a transaction by force when it has listed the transaction, and before the
/// coordinator gets the list.
class StoreWithAStop final : public Store {
 public:
  explicit StoreWithAStop(Store& inner) : inner_(inner) {}

  void stop_after_scan(Coordinator& coordinator, Gid gid) {
    coordinator_ = &coordinator;
    gid_ = std::move(gid);
  }

  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override {
    Result<UnfinishedPage> page = co_await inner_.scan_unfinished(from, limit);
    if (coordinator_ != nullptr) {
      Coordinator& coordinator = *std::exchange(coordinator_, nullptr);
      const Result<> stopped = co_await coordinator.force_stop(gid_);
      EXPECT_TRUE(stopped.has_value());
    }
    co_return page;
  }

  Async<> commit(const Change& change) override { return inner_.commit(change); }
  Async<std::optional<Transaction>> load(Gid gid) override { return inner_.load(std::move(gid)); }
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override {
    return inner_.list(std::move(filter), std::move(position), limit);
  }
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override {
    return inner_.find_kv(std::move(cat), std::move(key));
  }
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override {
    return inner_.scan_kv(std::move(cat), std::move(position), limit);
  }
  Async<> create_kv(KvRecord record) override { return inner_.create_kv(std::move(record)); }
  Async<> update_kv(KvRecord record) override { return inner_.update_kv(std::move(record)); }
  Async<> delete_kv(std::string cat, std::string key) override {
    return inner_.delete_kv(std::move(cat), std::move(key));
  }

 private:
  Store& inner_;
  Coordinator* coordinator_ = nullptr;
  Gid gid_;
};

class EngineRecovery : public EngineFixture {
 protected:
  void restart_with_a_stop_of(const std::string& gid) {
    world_.reset();
    branches_ = std::make_unique<ScriptedBranches>();
    world_ = std::make_unique<CoordinatorWorld>(stopping_store_, clock_, *branches_, options_);
    stopping_store_.stop_after_scan(world_->coordinator(), Gid(gid));
    recover();
  }
  std::size_t unfinished_sagas() {
    const InFlight counts = world_->coordinator().in_flight();
    return counts.unfinished[static_cast<std::size_t>(TransType::saga)];
  }

  StoreWithAStop stopping_store_{store_};
};

TEST_F(EngineRecovery, CountsNoTransactionThatEndsWhileItIsListed) {
  prepare(make_request("ends", "saga", 1));
  prepare(make_request("stays", "saga", 1));
  restart_with_a_stop_of("ends");
  EXPECT_EQ(status("ends"), TransStatus::failed);
  EXPECT_EQ(unfinished_sagas(), 1U) << "without an alarm nothing would show that it has ended";
}

TEST_F(EngineRecovery, SetsNoAlarmForATransactionThatEndsWhileItIsListed) {
  branches_->reply("action 01", Outcome::error, "refused");
  submit(make_request("ends", "saga", 1));
  restart_with_a_stop_of("ends");
  EXPECT_EQ(world_->coordinator().in_flight().alarms, 0U);
  EXPECT_EQ(unfinished_sagas(), 0U);
}

}  // namespace
}  // namespace concerto::test
