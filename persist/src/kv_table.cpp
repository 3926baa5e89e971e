#include "kv_table.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>

namespace concerto::persist {
namespace {

std::string name(const std::string& cat, const std::string& key) {
  return "'" + key + "' in category '" + cat + "'";
}

}  // namespace

Result<> KvTable::check_create(const KvRecord& record) const {
  if (!contains(record.cat, record.key)) return ok();
  return make_error(EngineErrc::key_exists, name(record.cat, record.key) + " exists already");
}

Result<> KvTable::check_update(const KvRecord& record) const {
  const auto found = records_.find({record.cat, record.key});
  if (found != records_.end() && found->second.version == record.version) return ok();
  return make_error(
      EngineErrc::key_not_found,
      "no " + name(record.cat, record.key) + " with version " + std::to_string(record.version));
}

Result<> KvTable::check_erase(const std::string& cat, const std::string& key) const {
  if (contains(cat, key)) return ok();
  return make_error(EngineErrc::key_not_found, "no " + name(cat, key));
}

/// A record that another store had keeps its version.
KvRecord KvTable::created(KvRecord record) const {
  return record;
}

KvRecord KvTable::updated(const KvRecord& record) const {
  const auto found = records_.find({record.cat, record.key});
  CONCERTO_ASSERT(found != records_.end());
  KvRecord next = found->second;
  next.value = record.value;
  next.version = record.version + 1;
  next.update_time = record.update_time;
  return next;
}

void KvTable::put(KvRecord record) {
  Key key{record.cat, record.key};
  records_.insert_or_assign(std::move(key), std::move(record));
}

void KvTable::erase(const std::string& cat, const std::string& key) {
  records_.erase({cat, key});
}

std::vector<KvRecord> KvTable::find(const std::string& cat, const std::string& key) const {
  std::vector<KvRecord> found;
  for (const auto& [id, record] : records_) {
    if ((cat.empty() || id.first == cat) && (key.empty() || id.second == key)) {
      found.push_back(record);
    }
  }
  return found;
}

// A position is the key of the last record shown.
KvPage KvTable::scan(const std::string& cat, const std::string& position, std::size_t limit) const {
  KvPage page;
  std::size_t page_bytes = 0;
  auto at =
      position.empty() ? records_.lower_bound({cat, ""}) : records_.upper_bound({cat, position});
  for (; at != records_.end() && at->first.first == cat; ++at) {
    const bool is_full = page.records.size() == std::max<std::size_t>(limit, 1);
    if (is_full || page_bytes >= page_bytes_max) {
      page.next_position = page.records.back().key;
      break;
    }
    page.records.push_back(at->second);
    page_bytes += at->second.value.size();
  }
  return page;
}

}  // namespace concerto::persist
