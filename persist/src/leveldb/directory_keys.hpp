#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <leveldb/options.h>
#include <leveldb/slice.h>
#include <leveldb/status.h>

#include "segment.hpp"
#include "wire.hpp"

namespace concerto::persist {

// Keys of a segment's directory: tag, then fingerprint or sequence, if any. The grammar is in
// docs/storage-format.md.
inline constexpr char tag_filter = 'f';
inline constexpr char tag_finished = 'g';
inline constexpr char tag_indexed = 'i';  // up to when the index of failed ones is complete
inline constexpr char tag_late = 'l';     // finished after the filter was stored
inline constexpr char tag_moved = 'm';
inline constexpr char tag_failed = 'x';

inline leveldb::ReadOptions checked_read() {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  return options;
}

inline leveldb::ReadOptions checked_scan() {
  leveldb::ReadOptions options = checked_read();
  options.fill_cache = false;
  return options;
}

/// A read may also fail although nothing is damaged.
inline Error not_read(const std::string& path, const leveldb::Status& status) {
  if (!status.IsIOError()) return damaged(path, status.ToString());
  return make_error(EngineErrc::store_failed, "cannot read '" + path + "': " + status.ToString());
}

inline std::string_view view(const leveldb::Slice& slice) {
  return {slice.data(), slice.size()};
}

/// Absent when the value is not an entry of a finished transaction.
inline std::optional<FinishedPlaces> decode_places(std::string_view value) {
  Decoder in(value);
  FinishedPlaces places;
  places.sequence = in.u64();
  places.first.group = in.u64();
  places.first.offset = in.u32();
  places.last.group = in.u64();
  places.last.offset = in.u32();
  places.status = static_cast<TransStatus>(in.u8());
  if (!in.done() || !is_final(places.status)) return std::nullopt;
  return places;
}

}  // namespace concerto::persist
