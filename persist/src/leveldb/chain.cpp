#include "chain.hpp"

#include <utility>

namespace concerto::persist {
namespace {

Error damaged_record(const Place& place, const std::string& what) {
  return make_error(EngineErrc::store_damaged, "the record at byte " +
                                                   std::to_string(place.offset) + " of group " +
                                                   std::to_string(place.group) + " " + what);
}

}  // namespace

Result<std::shared_ptr<const std::string>> GroupReader::read(std::uint64_t group) {
  for (const Kept& kept : kept_) {
    if (kept.group == group) return kept.bytes;
  }
  CONCERTO_TRY(auto bytes, segments_.read(group));
  if (kept_.size() < kept_groups) {
    kept_.push_back({group, bytes});
  } else {
    kept_[next_] = {group, bytes};
    next_ = (next_ + 1) % kept_groups;
  }
  return bytes;
}

Result<ChainRecord> GroupReader::record_at(const Place& place) {
  CONCERTO_TRY(auto bytes, read(place.group));
  return record_in(std::move(bytes), place);
}

Result<ChainRecord> record_in(std::shared_ptr<const std::string> bytes, const Place& place) {
  std::size_t offset = place.offset;
  const auto record = read_record(*bytes, offset);
  if (!record) return damaged_record(place, "does not pass its checks");
  return ChainRecord{std::move(bytes), *record, place};
}

Result<> complete(Chain& chain, GroupReader& reader) {
  while (chain.rest) {
    CONCERTO_TRY(ChainRecord next, reader.record_at(chain.rest));
    if (!is_update(next.record.kind) && !begins_chain(next.record.kind)) {
      return damaged_record(chain.rest, "is not one of a transaction");
    }
    const Place previous = next.record.link.previous;
    if (!begins_chain(next.record.kind) && previous >= chain.rest) {
      return damaged_record(chain.rest, "does not point backwards");
    }
    chain.rest = begins_chain(next.record.kind) ? Place{} : previous;
    chain.records.push_back(std::move(next));
  }
  return ok();
}

Result<Transaction> build(const Chain& chain) {
  auto at = chain.records.rbegin();
  auto trans = decode_transaction(at->record.payload);
  if (!trans) return damaged_record(at->place, "is not a transaction");
  for (++at; at != chain.records.rend(); ++at) {
    const auto update = decode_delta(at->record.payload);
    if (!update || update->gid != trans->gid || !fits(*trans, update->delta)) {
      return damaged_record(at->place, "does not fit '" + trans->gid.str() + "'");
    }
    apply(*trans, update->delta);
  }
  return std::move(*trans);
}

}  // namespace concerto::persist
