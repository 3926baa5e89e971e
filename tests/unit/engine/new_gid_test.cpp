#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <concerto/engine/coordinator.hpp>

namespace concerto::test {
namespace {

class ListedRandom final : public RandomSource {
 public:
  explicit ListedRandom(std::vector<std::uint64_t> values) : values_(std::move(values)) {}
  std::uint64_t next() override { return values_.at(at_++); }

 private:
  std::vector<std::uint64_t> values_;
  std::size_t at_ = 0;
};

TEST(NewGid, HasEveryBitInBase57) {
  const auto gid_of = [](std::uint64_t high, std::uint64_t low) {
    ListedRandom random({high, low});
    return Coordinator::new_gid(random).str();
  };
  EXPECT_EQ(gid_of(0x0123456789ABCDEF, 0xFEDCBA9876543210), "2DYiVtse6TvbAwFi4dbvih");
  EXPECT_EQ(gid_of(~0ULL, ~0ULL), "oZEq7ovRbLq6UnGMPwc8B5");
  EXPECT_EQ(gid_of(0, 57), "2222222222222222222232");
}

}  // namespace
}  // namespace concerto::test
