// Payloads of the store's records. A decoded payload is encoded to one that decodes to the same,
// and a record that was written is read with its payload and its link.

#include "fuzz_target.hpp"
#include "leveldb/record.hpp"

namespace concerto::fuzz {
namespace {

using namespace persist;

constexpr RecordKind all_kinds[] = {RecordKind::submit,         RecordKind::progress,
                                    RecordKind::decision,       RecordKind::finish,
                                    RecordKind::kv_put,         RecordKind::kv_erase,
                                    RecordKind::moved,          RecordKind::unfinished_part,
                                    RecordKind::unfinished_end, RecordKind::kv_part};

void check_transactions(std::string_view payload) {
  if (const auto trans = decode_transaction(payload)) {
    require(gid_of(payload) == trans->gid.view());
    for (const Branch& branch : trans->branches) require(branch.payload < trans->payloads.size());
    const auto again = decode_transaction(encode_transaction(RecordKind::submit, *trans).payload);
    require(again == trans);
  }
  if (const auto change = decode_delta(payload)) {
    require(gid_of(payload) == change->gid.view());
    const EncodedRecord record = encode_delta(RecordKind::progress, change->gid, change->delta);
    const auto again = decode_delta(record.payload);
    require(again && again->gid == change->gid && again->delta == change->delta);
  }
}

void check_keys(std::string_view payload) {
  if (const auto record = decode_kv(payload)) {
    require(decode_kv(encode_kv(RecordKind::kv_put, *record).payload) == record);
  }
  if (const auto record = decode_kv_erase(payload)) {
    require(decode_kv_erase(encode_kv_erase(record->cat, record->key).payload) == record);
  }
}

void check_unfinished(std::string_view payload) {
  if (const auto entries = decode_unfinished_part(payload)) {
    require(decode_unfinished_part(encode_unfinished_part(*entries).payload) == entries);
  }
  if (const auto end = decode_unfinished_end(payload)) {
    require(encode_unfinished_end(*end).payload == payload);
  }
}

void check_group(std::string_view payload) {
  Link link;
  link.sequence = payload.size();
  link.previous = {7, 9};
  link.first = {5, 1};
  std::string group;
  for (const RecordKind kind : all_kinds)
    append_record(group, seal(kind, std::string{payload}), link);
  auto offset = first_record(group);
  require(offset.has_value());
  for (const RecordKind kind : all_kinds) {
    const auto record = read_record(group, *offset);
    require(record && record->kind == kind && record->payload == payload);
    require(!begins_chain(kind) || record->link.sequence == link.sequence);
    require(!is_update(kind) || record->link.previous == link.previous);
  }
  require(*offset == group.size() && !read_record(group, *offset));
}

}  // namespace

void store_payloads(std::string_view input) {
  (void)gid_of(input);
  check_transactions(input);
  check_keys(input);
  check_unfinished(input);
  check_group(input);
}

}  // namespace concerto::fuzz
