#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <concerto/persist/leveldb_store.hpp>
#include <concerto/persist/store_backup.hpp>

#include "await_result.hpp"
#include "store_files.hpp"

namespace concerto::test {

/// All that clients and operators can see of a store.
struct StoreContents {
  std::map<std::string, Transaction> transactions;
  std::map<std::string, KvRecord> records;

  friend bool operator==(const StoreContents&, const StoreContents&) = default;
};

/// Everything in a store is read: the lists, and each transaction by its gid.
inline StoreContents contents_of(Store& store) {
  asio::io_context io{1};
  StoreContents contents;
  std::string position;
  do {
    TransPage page = await_result(io, store.list({}, position, 100)).value();
    for (const Transaction& listed : page.transactions) {
      auto loaded = await_result(io, store.load(listed.gid)).value();
      contents.transactions.emplace(listed.gid.str(), loaded.value());
    }
    position = std::move(page.next_position);
  } while (!position.empty());
  for (KvRecord& record : await_result(io, store.find_kv("", "")).value()) {
    contents.records.emplace(record.cat + "/" + record.key, std::move(record));
  }
  return contents;
}

/// A store with small segments, and directories for backups and for what is restored.
class BackupWorld {
 public:
  BackupWorld() {
    options = small_options(dir.path() + "/store");
    options.segment_bytes = 10'000;
    options.checkpoint_bytes = 10'000;
  }

  std::unique_ptr<persist::LevelDbStore> open() { return open_at(options.path); }
  std::unique_ptr<persist::LevelDbStore> open_at(const std::string& path) {
    persist::LevelDbOptions there = options;
    there.path = path;
    return persist::LevelDbStore::open(there, clock, log).value();
  }

  /// Creates sagas `first` to `last`; every second one ends, every tenth as failed.
  void write(persist::LevelDbStore& store, int first, int last) {
    for (int i = first; i <= last; ++i) {
      const std::string gid = "g" + std::to_string(i);
      const Transaction saga = sample_saga(gid, i);
      ASSERT_TRUE(await_result(io, store.commit(create(saga))));
      ASSERT_TRUE(await_result(io, store.commit(update(gid, TransStatus::submitted,
                                                       outcome(1, BranchStatus::succeed, i)))));
      if (i % 2 == 1) continue;
      const TransStatus end = i % 10 == 0 ? TransStatus::failed : TransStatus::succeed;
      ASSERT_TRUE(
          await_result(io, store.commit(update(gid, TransStatus::submitted, new_status(end, i)))));
    }
  }
  void write_topic(persist::LevelDbStore& store, const std::string& key) {
    ASSERT_TRUE(await_result(io, store.create_kv(sample_topic(key, "[]"))));
  }

  persist::BackupRequest request(const std::string& name, const std::string& base = {}) const {
    persist::BackupRequest made;
    made.directory = backups();
    made.name = name;
    made.base = base;
    return made;
  }
  std::string backups() const { return dir.path() + "/backups"; }
  std::string backup(const std::string& name) const { return backups() + "/" + name; }
  std::string restored() const { return dir.path() + "/restored"; }
  StoreContents contents_at(const std::string& path) {
    const auto store = open_at(path);
    return contents_of(*store);
  }

  TempDir dir;
  StoreClock clock;
  LogLines log;
  asio::io_context io{1};
  persist::LevelDbOptions options;
};

/// All bytes below a directory, by path.
inline std::map<std::string, std::string> bytes_below(const std::string& path) {
  std::map<std::string, std::string> bytes;
  for (const std::string& file : files_below(path, "")) bytes[file] = file_content(file);
  return bytes;
}

}  // namespace concerto::test
