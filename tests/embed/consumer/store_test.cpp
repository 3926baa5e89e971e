// A store of this project, which keeps its data in memory and a count of its changes, held to the
// tests that every store has to pass. With STORE_FORGETS in the environment the store has a fault,
// and the tests fail.
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

#include <concerto/persist/memory_store.hpp>
#include <concerto/testing/store_contract.hpp>

namespace concerto::test {
namespace {

class CountingStore final : public Store {
 public:
  explicit CountingStore(persist::MemoryStore& data) : data_(data) {}

  Async<> commit(const Change& change) override {
    // The fault: the second change is acknowledged and not kept.
    if (++changes_ == 2 && std::getenv("STORE_FORGETS") != nullptr) co_return ok();
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

 private:
  persist::MemoryStore& data_;
  std::size_t changes_ = 0;
};

class CountingStoreUnderTest final : public StoreUnderTest {
 public:
  Store& store() override { return *store_; }
  void restart() override {
    data_.crash();
    store_ = std::make_unique<CountingStore>(data_);
  }

 private:
  persist::MemoryStore data_;
  std::unique_ptr<CountingStore> store_ = std::make_unique<CountingStore>(data_);
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Counting, StoreContract,
                         testing::Values(StoreMaker{
                             "counting",
                             [] { return std::make_unique<CountingStoreUnderTest>(); }}));

}  // namespace concerto::test
