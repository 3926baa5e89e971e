#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/persist/memory_store.hpp>
#include <concerto/persist/store_factory.hpp>

#include "coordinator_world.hpp"

namespace concerto::persist {
namespace {

using testing::HasSubstr;

class StoreFactory : public testing::Test {
 protected:
  /// The settings that an embedder's store was opened with.
  void add_own_kind(const std::string& name) {
    StoreKind kind;
    kind.name = name;
    kind.open = [this](const StoreSettings& settings, const Clock&,
                       Observer&) -> Result<std::unique_ptr<ManagedStore>> {
      opened_.push_back(settings.path);
      return std::unique_ptr<ManagedStore>(std::make_unique<MemoryStore>());
    };
    kind.check = [](const StoreSettings& settings) -> Result<> {
      if (!settings.path.empty()) return ok();
      return make_error(Errc::invalid_request, "Store.Path is empty");
    };
    kinds_.add(std::move(kind));
  }
  Result<std::unique_ptr<ManagedStore>> open() { return kinds_.open(settings_, clock_, log_); }

  StoreKinds kinds_ = StoreKinds::standard();
  StoreSettings settings_;
  test::FakeClock clock_;
  test::RecordingObserver log_;
  std::vector<std::string> opened_;
};

TEST_F(StoreFactory, OpensTheKindThatIsNamed) {
  settings_.driver = "memory";
  ASSERT_TRUE(kinds_.check(settings_));
  const auto store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ((*store)->health().state, StoreHealth::State::serving);
  (*store)->close();
  EXPECT_EQ((*store)->health().state, StoreHealth::State::failed);
}

TEST_F(StoreFactory, NothingInMemoryIsThereToBeDropped) {
  const StoreKind* memory = kinds_.find("memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_FALSE(memory->drop);
}

TEST_F(StoreFactory, AnUnknownKindIsAnErrorThatNamesThoseThereAre) {
  settings_.driver = "papyrus";
  EXPECT_EQ(kinds_.find("papyrus"), nullptr);
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::invalid_request);
  EXPECT_THAT(store.error().detail, HasSubstr("memory, found 'papyrus'"));
  add_own_kind("stone");
  EXPECT_THAT(open().error().detail, HasSubstr("memory or stone, found 'papyrus'"));
}

TEST_F(StoreFactory, TakesAKindOfAnEmbedder) {
  add_own_kind("stone");
  settings_.driver = "stone";
  settings_.path = "quarry";
  ASSERT_TRUE(open());
  EXPECT_THAT(opened_, testing::ElementsAre("quarry"));
}

TEST_F(StoreFactory, OpensNothingWithoutTheSettingsThatAKindNeeds) {
  add_own_kind("stone");
  settings_.driver = "stone";
  EXPECT_EQ(open().error().detail, "Store.Path is empty");
  EXPECT_TRUE(opened_.empty());
}

TEST_F(StoreFactory, AKindOfTheSameNameReplacesTheOneBefore) {
  add_own_kind("memory");
  settings_.driver = "memory";
  settings_.path = "own";
  ASSERT_TRUE(open());
  EXPECT_THAT(opened_, testing::ElementsAre("own"));
}

}  // namespace
}  // namespace concerto::persist
