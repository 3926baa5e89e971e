#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>

#include "store_files.hpp"
#include "store_history.hpp"

namespace concerto::test {

/// A store of several segments in a directory of its own.
class StoreDirectory : public testing::Test {
 protected:
  using Opened = Result<std::unique_ptr<persist::LevelDbStore>>;

  Opened open(const std::string& path) {
    auto options = small_options(path);
    options.segment_bytes = 300;
    return persist::LevelDbStore::open(options, clock_, log_);
  }

  /// A closed store of several segments.
  void make_store() {
    auto store = open(store_).value();
    for (int i = 0; i < 6; ++i) {
      const std::string gid = "g" + std::to_string(i);
      ASSERT_TRUE(history_.create(*store, sample_saga(gid, i), Durability::durable));
    }
    store->close();
  }

  void expect_whole(const std::string& path) {
    Opened opened = open(path);
    ASSERT_TRUE(opened) << opened.error().detail;
    history_.check(**opened);
    (*opened)->close();
  }

  using Files = std::map<std::string, std::string>;

  /// Every file below the directory, with its content.
  Files contents() const {
    Files found;
    for (const std::string& path : files_below(dir_.path(), "")) found[path] = file_content(path);
    return found;
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  StoreHistory history_;
  const std::string store_ = dir_.path() + "/st";
};

}  // namespace concerto::test
