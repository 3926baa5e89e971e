#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <concerto/base/clock.hpp>

#include "disk.hpp"
#include "fingerprint.hpp"

namespace concerto::persist {

// The store's own small files are lines of text, `name value...`, and end with a line
// `checksum <8 hex digits>`, the crc32c of everything before it.

/// Two kinds of store_damaged: the file or directory is damaged, or it is missing.
Error damaged(const std::string& path, const std::string& what);
Error missing(const std::string& path);

inline constexpr std::uint32_t format_version = 1;

/// The file IDENTITY, written once: `concerto-store <format>`, `key <32 hex digits>`.
struct StoreIdentity {
  std::uint32_t format = format_version;
  FingerprintKey key{};
};

/// One segment in the file STATE: `segment <number> <first_group> <first_sequence> <opened_ns>
/// <sealed 0|1> <newest_finish_ns>`; after it `failures <newest_failure_ns>`, which older stores
/// lack.
struct SegmentState {
  std::uint64_t number = 0;
  std::uint64_t first_group = 1;
  std::uint64_t first_sequence = 1;
  WallTime opened{};
  bool sealed = false;        ///< no group will be added, and all derived data is written
  WallTime newest_finish{};   ///< of transactions that began here, as of the checkpoint
  WallTime newest_failure{};  ///< likewise, of those that failed
};

/// The file STATE: what changes rarely. The file is always replaced as a whole.
struct StoreState {
  std::vector<SegmentState> segments;  ///< oldest first, never empty
  std::uint64_t checkpoint_first = 0;  ///< first group to replay; 0: no checkpoint
  std::uint64_t checkpoint_end = 0;    ///< group of the record that completes the unfinished ones
  std::uint64_t clean_last_group = 0;  ///< last group at a clean stop; 0 while running
  bool clean = false;
};

std::string encode(const StoreIdentity& identity);
std::string encode(const StoreState& state);
/// Errors: store_damaged; not_supported for a newer format.
Result<StoreIdentity> parse_identity(const std::string& path, const std::string& content);
Result<StoreState> parse_state(const std::string& path, const std::string& content);

std::string identity_path(const std::string& store);
std::string state_path(const std::string& store);
std::string lock_path(const std::string& store);
std::string creating_path(const std::string& store);
std::string segment_path(const std::string& store, std::uint64_t number);

}  // namespace concerto::persist
