#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <concerto/engine/store.hpp>

namespace concerto::persist {

/// The key-value records of a store, in memory, ordered by category and key. Not thread-safe.
class KvTable {
 public:
  Result<> check_create(const KvRecord& record) const;
  Result<> check_update(const KvRecord& record) const;
  Result<> check_erase(const std::string& cat, const std::string& key) const;

  /// What is stored once the matching check has passed.
  KvRecord created(KvRecord record) const;
  KvRecord updated(const KvRecord& record) const;

  void put(KvRecord record);
  void erase(const std::string& cat, const std::string& key);

  bool contains(const std::string& cat, const std::string& key) const {
    return records_.contains({cat, key});
  }
  std::vector<KvRecord> find(const std::string& cat, const std::string& key) const;
  KvPage scan(const std::string& cat, const std::string& position, std::size_t limit) const;

  template <class Visit>
  void for_each(Visit visit) const {
    for (const auto& [id, record] : records_) visit(record);
  }

 private:
  using Key = std::pair<std::string, std::string>;

  std::map<Key, KvRecord> records_;
};

}  // namespace concerto::persist
