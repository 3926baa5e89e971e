#include "packed_gid.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace concerto {
namespace {

/// Texts of every length, with and without characters that cannot be packed.
std::vector<std::string> texts() {
  std::vector<std::string> found{"", std::string(5, '\0'), "\xff\x80"};
  for (std::size_t length = 1; length <= gid_bytes_max; ++length) {
    for (const char last : {'0', '9', 'A', 'Z', 'a', 'z', '-', '_', ':', ' ', '@', '`', '\xc3'}) {
      found.push_back(std::string(length - 1, '0') + last);
      found.push_back(std::string(length - 1, 'z') + last);
    }
  }
  return found;
}

TEST(PackedGid, IsTheGidThatWasPacked) {
  for (const std::string& text : texts()) {
    const PackedGid gid{GidKey(text)};
    EXPECT_EQ(gid.key().gid().str(), text);
    EXPECT_EQ(gid.key(), GidKey(text));
    EXPECT_EQ(gid.key().hash(), GidKey(text).hash());
  }
}

TEST(PackedGid, DiffersFromAllOthers) {
  std::vector<std::string> all = texts();
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  std::vector<GidKey> keys(all.begin(), all.end());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    for (std::size_t j = i + 1; j < keys.size(); ++j) ASSERT_NE(keys[i], keys[j]) << all[i];
  }
}

TEST(PackedGid, KeepsALongGidAfterTheTextIsGone) {
  const std::string text(gid_bytes_max, 'g');
  PackedGid gid{GidKey(std::string(text))};
  PackedGid moved = std::move(gid);
  gid = std::move(moved);
  EXPECT_EQ(gid.key().gid().str(), text);
}

}  // namespace
}  // namespace concerto
