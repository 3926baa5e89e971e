#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/store.hpp>

#include "fingerprint.hpp"
#include "place.hpp"
#include "trans_index.hpp"

namespace concerto::persist {

// The log's grammar (docs/storage-format.md says the same with reasons). Fixed-width integers are
// little-endian; varint, zigzag and text are those of wire.hpp.
//
//   key         := group:u64 big-endian                  growing by one from 1
//   group       := version:u8 record+                    version is group_version
//   record      := length:u32 kind:u8 checksum:u32 payload:byte[length] link
//   checksum    := crc32c of kind, length, payload, link
//   link        := sequence:u64                          kind submit
//                | sequence:u64 previous:place           kind moved
//                | previous:place first:place            kinds progress, decision and finish
//                | nothing                               other kinds
//   place       := group:u64 offset:u32
//   payload     := transaction                           kinds submit and moved
//                | delta                                 kinds progress, decision and finish
//                | kv                                    kinds kv_put and kv_part
//                | cat:text key:text                     kind kv_erase
//                | unfinished*                           kind unfinished_part
//                | first_group:u64 count:u64 last_sequence:u64   kind unfinished_end
//   transaction := gid:text type:u8 status:u8 protocol:u8 flags:u8 created:u64 updated:time
//                  [submitted:time] [finished:time] [rolled_back:time] cron_interval:zigzag
//                  cron_time:time retry_count:zigzag options query_prepared:text custom_data:text
//                  result:text rollback_reason:text payloads branches
//   options     := flags:u8 timeout_to_fail:zigzag request_timeout:zigzag retry_interval:zigzag
//                  retry_limit:zigzag count:varint (name:text value:text)*
//   payloads    := count:varint text*
//   branches    := count:varint branch*
//   branch      := branch_id:text op:text url:text payload:varint status_and_flags:u8
//                  [created:time] [updated:time] [finished:time]
//   delta       := gid:text at:u64 fields:varint         one bit per field that follows
//                  [status:u8] [rollback_reason:text] [result:text] [custom_data:text] [options]
//                  [submitted:time] [interval:zigzag cron_time:time waits:u8]
//                  [retry_count:zigzag] [changes] [payloads] [branches]
//   changes     := count:varint (index:varint status:u8 at:time)*
//   kv          := cat:text key:text value:text version:zigzag created:u64 updated:u64
//   unfinished  := fingerprint:u64[2] sequence:u64 first:place last:place branches:u32
//                  payloads:u32 status:u8 chain:u16
//   time        := zigzag, nanoseconds after the payload's `created` or `at`

inline constexpr std::uint8_t group_version = 1;
inline constexpr std::size_t record_header_bytes = 9;
/// No payload is longer. A longer one is refused before it is written, and when it is read.
inline constexpr std::size_t record_bytes_max = std::size_t{32} << 20;

/// What a record says. The numbers are stored.
enum class RecordKind : std::uint8_t {
  submit = 1,    ///< a new transaction
  progress = 2,  ///< a change that nothing waits for
  decision = 3,  ///< a durable change of an unfinished transaction
  finish = 4,    ///< the change to a final status
  kv_put = 5,    ///< a key-value record as it is from now on
  kv_erase = 6,  ///< a key-value record is gone
  moved = 7,     ///< a whole transaction as it was at its last record; replaces the records before
  unfinished_part = 8,  ///< some of the unfinished transactions
  unfinished_end = 9,   ///< the parts since first_group are complete
  kv_part = 10,         ///< a key-value record as it was before first_group
};

/// Whether the record is a whole transaction, so that no record before it is needed.
constexpr bool begins_chain(RecordKind kind) noexcept {
  return kind == RecordKind::submit || kind == RecordKind::moved;
}
constexpr bool is_update(RecordKind kind) noexcept {
  return kind == RecordKind::progress || kind == RecordKind::decision || kind == RecordKind::finish;
}

/// The part of a record that is known only when the ledger orders the record.
struct Link {
  std::uint64_t sequence = 0;  ///< submit, moved: position in the order of creation
  Place previous;              ///< updates, moved: the record of the same gid before this one
  Place first;                 ///< updates: the gid's submit or moved record
};

/// A record on its way into a group, without its link.
struct EncodedRecord {
  RecordKind kind = RecordKind::submit;
  std::string payload;
  std::uint32_t checksum = 0;  ///< of kind, length and payload
};

/// A record inside a group's value.
struct RecordView {
  RecordKind kind = RecordKind::submit;
  std::string_view payload;
  Link link;
};

/// An unfinished transaction as a checkpoint keeps it.
struct UnfinishedEntry {
  Fingerprint fingerprint;
  std::uint64_t sequence = 0;
  Place first;
  Place last;
  std::uint32_t branches = 0;
  std::uint32_t payloads = 0;
  TransStatus status = TransStatus::prepared;
  TransType type{};           ///< not stored: unknown from a restart until the transaction is read
  std::uint16_t chain = 0;    ///< records after the first
  std::uint32_t created = 0;  ///< not stored, like `type`

  TransFacts facts() const noexcept { return {created, type}; }
  void set_facts(const TransFacts& facts) noexcept {
    type = facts.type;
    created = facts.created;
  }

  friend bool operator==(const UnfinishedEntry&, const UnfinishedEntry&) = default;
};
static_assert(sizeof(UnfinishedEntry) == 64);  // most of what a waiting transaction takes

struct UnfinishedEnd {
  std::uint64_t first_group = 0;    ///< what happened before is in the parts, the rest is replayed
  std::uint64_t count = 0;          ///< entries in the parts
  std::uint64_t last_sequence = 0;  ///< the last one given before first_group
};

/// A decoded delta with the gid that it belongs to.
struct GidDelta {
  Gid gid;
  TransDelta delta;
};

/// Completes a record around an encoded payload.
EncodedRecord seal(RecordKind kind, std::string payload);

EncodedRecord encode_transaction(RecordKind kind, const Transaction& trans);
EncodedRecord encode_delta(RecordKind kind, const Gid& gid, const TransDelta& delta);
/// `kind` is kv_put or kv_part.
EncodedRecord encode_kv(RecordKind kind, const KvRecord& record);
EncodedRecord encode_kv_erase(std::string_view cat, std::string_view key);
EncodedRecord encode_unfinished_part(const std::vector<UnfinishedEntry>& entries);
EncodedRecord encode_unfinished_end(const UnfinishedEnd& end);

/// Appends a record to a group's value, and the version before the first record. Returns the offset
/// of the record.
std::uint32_t append_record(std::string& group, const EncodedRecord& record, const Link& link);

/// Reads the record at `offset`, and sets `offset` to that of the next one. Absent if the bytes
/// there are not a record that passes its checks.
std::optional<RecordView> read_record(std::string_view group, std::size_t& offset);

/// The offset of a group's first record; absent when its version is unknown.
std::optional<std::size_t> first_record(std::string_view group);

std::optional<Transaction> decode_transaction(std::string_view payload);
std::optional<GidDelta> decode_delta(std::string_view payload);
std::optional<KvRecord> decode_kv(std::string_view payload);
/// A record with only category and key.
std::optional<KvRecord> decode_kv_erase(std::string_view payload);
std::optional<std::vector<UnfinishedEntry>> decode_unfinished_part(std::string_view payload);
std::optional<UnfinishedEnd> decode_unfinished_end(std::string_view payload);
/// The gid with which payloads of transactions and deltas begin.
std::string_view gid_of(std::string_view payload);

}  // namespace concerto::persist
