#include "record.hpp"

#include <utility>

#include <concerto/base/assert.hpp>

#include "crc32c.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

std::uint32_t header_checksum(RecordKind kind, std::uint32_t length) {
  const char bytes[5] = {static_cast<char>(kind), static_cast<char>(length),
                         static_cast<char>(length >> 8), static_cast<char>(length >> 16),
                         static_cast<char>(length >> 24)};
  return crc32c(0, std::string_view(bytes, sizeof(bytes)));
}

void put_place(Encoder& out, const Place& place) {
  out.u64(place.group);
  out.u32(place.offset);
}

Place take_place(Decoder& in) {
  Place place;
  place.group = in.u64();
  place.offset = in.u32();
  return place;
}

std::size_t link_bytes(RecordKind kind) noexcept {
  if (kind == RecordKind::submit) return 8;
  if (kind == RecordKind::moved) return 20;
  return is_update(kind) ? 24 : 0;
}

void put_link(Encoder& out, RecordKind kind, const Link& link) {
  if (is_update(kind)) {
    put_place(out, link.previous);
    put_place(out, link.first);
  } else if (link_bytes(kind) > 0) {
    out.u64(link.sequence);
    if (kind == RecordKind::moved) put_place(out, link.previous);
  }
}

Link decode_link(RecordKind kind, std::string_view bytes) {
  Link link;
  Decoder in(bytes);
  if (is_update(kind)) {
    link.previous = take_place(in);
    link.first = take_place(in);
  } else if (link_bytes(kind) > 0) {
    link.sequence = in.u64();
    if (kind == RecordKind::moved) link.previous = take_place(in);
  }
  return link;
}

}  // namespace

EncodedRecord seal(RecordKind kind, std::string payload) {
  EncodedRecord record{kind, std::move(payload), 0};
  const auto length = static_cast<std::uint32_t>(record.payload.size());
  record.checksum = crc32c(header_checksum(kind, length), record.payload);
  return record;
}

EncodedRecord encode_kv(RecordKind kind, const KvRecord& record) {
  std::string payload;
  Encoder out(payload);
  out.text(record.cat);
  out.text(record.key);
  out.text(record.value);
  out.zigzag(record.version);
  out.u64(static_cast<std::uint64_t>(record.create_time.time_since_epoch().count()));
  out.u64(static_cast<std::uint64_t>(record.update_time.time_since_epoch().count()));
  return seal(kind, std::move(payload));
}

EncodedRecord encode_kv_erase(std::string_view cat, std::string_view key) {
  std::string payload;
  Encoder out(payload);
  out.text(cat);
  out.text(key);
  return seal(RecordKind::kv_erase, std::move(payload));
}

EncodedRecord encode_unfinished_part(const std::vector<UnfinishedEntry>& entries) {
  std::string payload;
  Encoder out(payload);
  for (const UnfinishedEntry& entry : entries) {
    out.u64(entry.fingerprint.high);
    out.u64(entry.fingerprint.low);
    out.u64(entry.sequence);
    put_place(out, entry.first);
    put_place(out, entry.last);
    out.u32(entry.branches);
    out.u32(entry.payloads);
    out.u8(static_cast<std::uint8_t>(entry.status));
    out.u8(static_cast<std::uint8_t>(entry.chain));
    out.u8(static_cast<std::uint8_t>(entry.chain >> 8));
  }
  return seal(RecordKind::unfinished_part, std::move(payload));
}

EncodedRecord encode_unfinished_end(const UnfinishedEnd& end) {
  std::string payload;
  Encoder out(payload);
  out.u64(end.first_group);
  out.u64(end.count);
  out.u64(end.last_sequence);
  return seal(RecordKind::unfinished_end, std::move(payload));
}

std::uint32_t append_record(std::string& group, const EncodedRecord& record, const Link& link) {
  CONCERTO_ASSERT(record.payload.size() <= record_bytes_max);
  Encoder out(group);
  if (group.empty()) out.u8(group_version);
  const auto offset = static_cast<std::uint32_t>(group.size());
  out.u32(static_cast<std::uint32_t>(record.payload.size()));
  out.u8(static_cast<std::uint8_t>(record.kind));
  const std::size_t checksum_at = group.size();
  out.u32(0);
  group.append(record.payload);
  const std::size_t link_at = group.size();
  put_link(out, record.kind, link);
  const std::uint32_t checksum = crc32c(record.checksum, std::string_view(group).substr(link_at));
  for (std::size_t i = 0; i < 4; ++i) {
    group[checksum_at + i] = static_cast<char>(checksum >> (8 * i));
  }
  return offset;
}

std::optional<std::size_t> first_record(std::string_view group) {
  if (group.empty() || static_cast<std::uint8_t>(group.front()) != group_version) return {};
  return 1;
}

std::optional<RecordView> read_record(std::string_view group, std::size_t& offset) {
  if (offset > group.size()) return std::nullopt;
  Decoder in(group.substr(offset));
  const std::uint32_t length = in.u32();
  const auto kind = static_cast<RecordKind>(in.u8());
  const std::uint32_t checksum = in.u32();
  if (kind < RecordKind::submit || kind > RecordKind::kv_part || length > record_bytes_max) {
    return std::nullopt;
  }
  RecordView record{kind, in.bytes(length), {}};
  const std::string_view link = in.bytes(link_bytes(kind));
  if (!in.ok()) return std::nullopt;
  std::uint32_t actual = crc32c(header_checksum(kind, length), record.payload);
  actual = crc32c(actual, link);
  if (actual != checksum) return std::nullopt;
  record.link = decode_link(kind, link);
  offset += record_header_bytes + length + link.size();
  return record;
}

std::optional<KvRecord> decode_kv(std::string_view payload) {
  Decoder in(payload);
  KvRecord record;
  record.cat = in.text();
  record.key = in.text();
  record.value = in.text();
  record.version = in.zigzag();
  record.create_time = WallTime{std::chrono::nanoseconds{static_cast<std::int64_t>(in.u64())}};
  record.update_time = WallTime{std::chrono::nanoseconds{static_cast<std::int64_t>(in.u64())}};
  if (!in.done()) return std::nullopt;
  return record;
}

std::optional<KvRecord> decode_kv_erase(std::string_view payload) {
  Decoder in(payload);
  KvRecord record;
  record.cat = in.text();
  record.key = in.text();
  if (!in.done()) return std::nullopt;
  return record;
}

std::optional<std::vector<UnfinishedEntry>> decode_unfinished_part(std::string_view payload) {
  Decoder in(payload);
  std::vector<UnfinishedEntry> entries;
  while (in.ok() && in.left() > 0) {
    UnfinishedEntry entry;
    entry.fingerprint.high = in.u64();
    entry.fingerprint.low = in.u64();
    entry.sequence = in.u64();
    entry.first = take_place(in);
    entry.last = take_place(in);
    entry.branches = in.u32();
    entry.payloads = in.u32();
    entry.status = static_cast<TransStatus>(in.u8());
    const unsigned chain_low = in.u8();
    entry.chain = static_cast<std::uint16_t>(chain_low | unsigned{in.u8()} << 8);
    if (is_final(entry.status) || to_string(entry.status) == "unknown") in.fail();
    entries.push_back(entry);
  }
  if (!in.done()) return std::nullopt;
  return entries;
}

std::optional<UnfinishedEnd> decode_unfinished_end(std::string_view payload) {
  Decoder in(payload);
  UnfinishedEnd end;
  end.first_group = in.u64();
  end.count = in.u64();
  end.last_sequence = in.u64();
  if (!in.done()) return std::nullopt;
  return end;
}

std::string_view gid_of(std::string_view payload) {
  return Decoder(payload).text();
}

}  // namespace concerto::persist
