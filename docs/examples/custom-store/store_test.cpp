// The tests that every store has to pass, for the MapStore; and a saga that ends in it.
#include <memory>

#include <boost/asio/io_context.hpp>

#include <concerto/engine/embedded_coordinator.hpp>
#include <concerto/testing/store_contract.hpp>

#include "map_store.hpp"

namespace {

class MapStoreUnderTest final : public concerto::test::StoreUnderTest {
 public:
  concerto::Store& store() override { return *store_; }
  void restart() override { store_ = std::make_unique<MapStore>(data_); }

 private:
  MapStore::Data data_;
  std::unique_ptr<MapStore> store_ = std::make_unique<MapStore>(data_);
};

TEST(MapStore, KeepsASaga) {
  boost::asio::io_context io{1};
  MapStore::Data data;
  MapStore store(data);
  concerto::LocalBranches branches;
  branches.add("book", [](const concerto::LocalCall&) {});
  concerto::EmbeddedCoordinator coordinator{io, store, branches};
  concerto::TransRequest saga;
  saga.gid = concerto::Gid("trip");
  saga.trans_type = "saga";
  saga.steps = {{"book", ""}};
  saga.payloads = {"a seat"};
  saga.options.wait_result = true;
  bool has_succeeded = false;
  coordinator.submit(saga, [&](const concerto::Result<>& ended) {
    has_succeeded = ended.has_value();
    io.stop();
  });
  io.run();
  EXPECT_TRUE(has_succeeded);
  EXPECT_EQ(data.transactions.at(1).status, concerto::TransStatus::succeed);
}

}  // namespace

namespace concerto::test {
INSTANTIATE_TEST_SUITE_P(Map, StoreContract,
                         testing::Values(StoreMaker{
                             "Map", [] { return std::make_unique<MapStoreUnderTest>(); }}));
}  // namespace concerto::test
