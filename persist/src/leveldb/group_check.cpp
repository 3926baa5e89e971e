#include "group_check.hpp"

#include "crc32c.hpp"
#include "group_file.hpp"
#include "record.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

/// Whether the payload is what the kind says.
bool decodes(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::submit:
    case RecordKind::moved:
      return decode_transaction(record.payload).has_value();
    case RecordKind::progress:
    case RecordKind::decision:
    case RecordKind::finish:
      return decode_delta(record.payload).has_value();
    case RecordKind::kv_put:
    case RecordKind::kv_part:
      return decode_kv(record.payload).has_value();
    case RecordKind::kv_erase:
      return decode_kv_erase(record.payload).has_value();
    case RecordKind::unfinished_part:
      return decode_unfinished_part(record.payload).has_value();
    case RecordKind::unfinished_end:
      return decode_unfinished_end(record.payload).has_value();
  }
  return false;
}

/// Whether the record refers only to places before its own.
bool refers_back(const RecordView& record, const Place& own) {
  if (is_update(record.kind)) return record.link.previous < own && record.link.first < own;
  if (record.kind == RecordKind::moved) return record.link.previous < own;
  return true;
}

}  // namespace

Result<> GroupCheck::add(std::uint64_t group, std::string_view value) {
  const auto bad = [&](const std::string& why) {
    return damaged(source_, "group " + std::to_string(group) + " " + why);
  };
  auto offset = first_record(value);
  if (!offset) return bad("has an unknown version");
  while (*offset < value.size()) {
    const Place own{group, static_cast<std::uint32_t>(*offset)};
    const auto record = read_record(value, *offset);
    const std::string place = "at byte " + std::to_string(own.offset);
    if (!record) return bad("has a record that does not pass its checks, " + place);
    if (!decodes(*record)) return bad("has a malformed record, " + place);
    if (!refers_back(*record, own)) return bad("has a record that refers to a later one, " + place);
    ++counts_.records;
    if (record->kind == RecordKind::submit) ++counts_.begun;
    if (record->kind == RecordKind::finish) ++counts_.finished;
    if (group < checkpoint_first_ || group > checkpoint_end_) continue;
    if (record->kind == RecordKind::unfinished_part) {
      checkpoint_entries_ += decode_unfinished_part(record->payload)->size();
    } else if (record->kind == RecordKind::unfinished_end && group == checkpoint_end_) {
      checkpoint_complete_ = decode_unfinished_end(record->payload)->count == checkpoint_entries_;
    }
  }
  ++counts_.groups;
  counts_.bytes += value.size();
  counts_.last_group = group;
  std::string number;
  Encoder(number).u64(group);
  checksum_ = crc32c(crc32c(checksum_, number), value);
  return ok();
}

Result<> GroupCheck::end() const {
  if (checkpoint_first_ == 0 || checkpoint_complete_) return ok();
  return damaged(source_, "the list of unfinished transactions that ends in group " +
                              std::to_string(checkpoint_end_) + " is not complete");
}

void GroupCheck::count_into(CheckReport& report) const {
  report.groups = counts_.groups;
  report.bytes = counts_.bytes;
  report.records = counts_.records;
  report.begun = counts_.begun;
  report.finished = counts_.finished;
  report.last_group = counts_.last_group;
}

}  // namespace concerto::persist
