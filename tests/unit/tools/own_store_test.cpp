// A store of one's own, in one file: all of it is here, with its one row (docs/extending.md). The
// configuration names the store, the contract tests it, and a saga ends in it.

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>

#include "config_tables.hpp"
#include "coordinator_world.hpp"
#include "store_contract.hpp"
#include "store_setup.hpp"

namespace concerto::tools {
namespace {

using persist::MemoryStore;
using persist::StoreSettings;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The stored data by Store.Path. It outlives the stores, as files do.
using Shelf = std::map<std::string, MemoryStore>;

class ShelfStore final : public persist::ManagedStore {
 public:
  explicit ShelfStore(MemoryStore& data) : data_(data) {}

  Async<> commit(const Change& change) override {
    if (closed_) co_return make_error(EngineErrc::store_unavailable, "the store is closed");
    co_return co_await data_.commit(change);
  }
  Async<std::optional<Transaction>> load(Gid gid) override { return data_.load(std::move(gid)); }
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override {
    return data_.scan_unfinished(from, limit);
  }
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override {
    return data_.list(std::move(filter), std::move(position), limit);
  }
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override {
    return data_.find_kv(std::move(cat), std::move(key));
  }
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override {
    return data_.scan_kv(std::move(cat), std::move(position), limit);
  }
  Async<> create_kv(KvRecord record) override { return data_.create_kv(std::move(record)); }
  Async<> update_kv(KvRecord record) override { return data_.update_kv(std::move(record)); }
  Async<> delete_kv(std::string cat, std::string key) override {
    return data_.delete_kv(std::move(cat), std::move(key));
  }

  void set_retention(const persist::StoreRetention& retention) override {
    data_.set_retention(retention);
  }
  Result<> maintain() override { return data_.maintain(); }
  void close() override { closed_ = true; }

 private:
  MemoryStore& data_;
  bool closed_ = false;
};

/// The row. The shelf outlives the table.
persist::StoreKind shelf_kind(Shelf& shelf) {
  persist::StoreKind kind;
  kind.name = "shelf";
  kind.open = [&shelf](const StoreSettings& settings, const Clock&,
                       Observer&) -> Result<std::unique_ptr<persist::ManagedStore>> {
    return std::unique_ptr<persist::ManagedStore>(
        std::make_unique<ShelfStore>(shelf[settings.path]));
  };
  kind.check = [](const StoreSettings& settings) -> Result<> {
    if (!settings.path.empty()) return ok();
    return make_error(Errc::invalid_request, "Store.Path: the shelf has no name");
  };
  kind.place = [](const StoreSettings& settings) { return "the shelf " + settings.path; };
  kind.count_unfinished = [&shelf](const StoreSettings& settings, const Clock&,
                                   Observer&) -> Result<std::optional<std::size_t>> {
    const auto data = shelf.find(settings.path);
    if (data == shelf.end()) return std::optional<std::size_t>{};
    asio::io_context io{1};
    CONCERTO_TRY(const UnfinishedPage page,
                 test::await_result(io, data->second.scan_unfinished(0, 1000)));
    return std::optional{page.transactions.size()};
  };
  kind.drop = [&shelf](const StoreSettings& settings) -> Result<> {
    shelf.erase(settings.path);
    return ok();
  };
  return kind;
}

/// A shelf with a configuration that may name it.
class ShelfSetup {
 public:
  ShelfSetup() { tables_.stores.add(shelf_kind(shelf_)); }

  Shelf& shelf() { return shelf_; }
  const persist::StoreKind& kind() const { return *tables_.stores.find("shelf"); }
  LoadedConfig load(const std::string& path) const {
    return load_config(
        "Store:\n  Driver: shelf\n  Path: '" + path + "'\n",
        [](const auto&) { return std::nullopt; }, tables_);
  }
  std::unique_ptr<persist::ManagedStore> open(const LoadedConfig& loaded) const {
    EXPECT_THAT(loaded.findings.errors, IsEmpty());
    return tables_.stores.open(store_settings(loaded.config.store), clock_, log_).value();
  }

 private:
  Shelf shelf_;
  ConfigTables tables_;
  test::FakeClock clock_;
  mutable test::RecordingObserver log_;
};

class ShelfUnderTest final : public test::StoreUnderTest {
 public:
  Store& store() override { return *store_; }
  void restart() override {
    store_.reset();
    setup_.shelf().at("quarry").crash();
    store_ = setup_.open(setup_.load("quarry"));
  }

 private:
  ShelfSetup setup_;
  std::unique_ptr<Store> store_ = setup_.open(setup_.load("quarry"));
};

class OwnStore : public testing::Test {
 protected:
  ShelfSetup setup_;
};

TEST_F(OwnStore, IsNamedAndCheckedInTheConfiguration) {
  EXPECT_THAT(setup_.load("quarry").findings.errors, IsEmpty());
  EXPECT_THAT(setup_.load("").findings.errors, ElementsAre("Store.Path: the shelf has no name"));
  const auto without_row =
      load_config("Store:\n  Driver: shelf\n", [](const auto&) { return std::nullopt; });
  EXPECT_THAT(without_row.findings.errors, ElementsAre(HasSubstr("found 'shelf'")));
}

TEST_F(OwnStore, KeepsWhatACoordinatorDoes) {
  const LoadedConfig loaded = setup_.load("quarry");
  const auto store = setup_.open(loaded);
  test::FakeClock clock;
  test::ScriptedBranches branches;
  test::CoordinatorWorld world{*store, clock, branches, loaded.config.coordinator};
  TransRequest request = test::make_request("g", "saga", 2);
  request.options.wait_result = true;
  const auto ended = world.start(world.coordinator().submit(request));
  ASSERT_TRUE(*ended);
  EXPECT_TRUE(ended->value());
  EXPECT_THAT(branches.calls, ElementsAre("action 01", "action 02"));

  const auto opened_again = setup_.open(loaded);
  asio::io_context io{1};
  const auto kept = test::await_result(io, opened_again->load(Gid{"g"}));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->value().status, TransStatus::succeed);
}

TEST_F(OwnStore, IsCountedAndDroppedByItsKind) {
  const StoreSettings settings = store_settings(setup_.load("quarry").config.store);
  test::FakeClock clock;
  test::RecordingObserver log;
  EXPECT_EQ(setup_.kind().place(settings), "the shelf quarry");
  EXPECT_EQ(setup_.kind().count_unfinished(settings, clock, log).value(), std::nullopt);

  const auto store = setup_.open(setup_.load("quarry"));
  asio::io_context io{1};
  const Transaction saga = test::sample_saga("g");
  ASSERT_TRUE(test::await_result(io, store->commit(test::create(saga))));
  EXPECT_EQ(setup_.kind().count_unfinished(settings, clock, log).value(), 1U);
  ASSERT_TRUE(setup_.kind().drop(settings));
  EXPECT_TRUE(setup_.shelf().empty());
}

}  // namespace

/// The contract, for a store that is made from a configuration.
using test::StoreContract;
INSTANTIATE_TEST_SUITE_P(Own, StoreContract,
                         testing::Values(test::StoreMaker{
                             "shelf", [] { return std::make_unique<ShelfUnderTest>(); }}));

}  // namespace concerto::tools
