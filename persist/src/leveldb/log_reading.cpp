#include "log_reading.hpp"

#include <memory>

#include <leveldb/iterator.h>

#include "directory_keys.hpp"
#include "segment.hpp"

namespace concerto::persist {

Result<> read_groups(leveldb::DB& log, const std::string& database, std::uint64_t first,
                     std::uint64_t last, const UseGroup& use) {
  // An iterator holds tables, which LevelDB cannot remove meanwhile.
  constexpr std::size_t bytes_per_iterator = std::size_t{16} << 20;
  std::uint64_t next = first;
  while (next <= last) {
    const std::unique_ptr<leveldb::Iterator> at(log.NewIterator(checked_scan()));
    at->Seek(group_key(next));
    for (std::size_t bytes = 0; next <= last && bytes < bytes_per_iterator; at->Next(), ++next) {
      if (!at->status().ok()) return not_read(database, at->status());
      if (!at->Valid() || view(at->key()) != group_key(next)) {
        return damaged(database, "group " + std::to_string(next) + " is missing");
      }
      bytes += at->value().size();
      CONCERTO_CHECK(use(next, view(at->value())));
    }
    if (!at->status().ok()) return not_read(database, at->status());
  }
  return ok();
}

}  // namespace concerto::persist
