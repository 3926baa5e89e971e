#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include <concerto/engine/error.hpp>
#include <concerto/engine/store.hpp>

#include "live_trans.hpp"

/// What the requests of the protocol have in common.
namespace concerto {

/// How long a request tries to get a transaction that other coordinators change at the same time.
inline constexpr std::chrono::seconds lease_patience{2};

/// From another coordinator a request takes what is prepared: that coordinator works on it for a
/// moment only.
inline constexpr StatusSet taken_prepared{TransStatus::prepared};
inline constexpr StatusSet taken_unfinished{TransStatus::prepared, TransStatus::submitted,
                                            TransStatus::aborting};

inline bool is_others(const LiveTrans& live) noexcept {
  return live.knowledge == LiveTrans::Knowledge::others;
}

/// FAILURE-class errors end in the word that old clients look for (page 01, section 5).
inline Error conflict(std::string text) {
  return make_error(EngineErrc::status_conflict, std::move(text) + " FAILURE");
}

inline std::string quoted(TransStatus status) {
  return "'" + std::string(to_string(status)) + "'";
}

inline Result<> check_stop(const Transaction& trans) {
  if (!is_final(trans.status)) return ok();
  return conflict("global transaction force stop error. status: " +
                  std::string(to_string(trans.status)) + ". error:");
}

inline std::size_t payload_bytes(const Transaction& trans) noexcept {
  std::size_t bytes = 0;
  for (const std::string& payload : trans.payloads) bytes += payload.size();
  return bytes;
}

inline Error other_type(const LiveTrans& stored, const Mode& named) {
  return conflict("gid " + stored.gid.str() + " is of type " + std::string(stored.mode->name) +
                  ", not " + std::string(named.name) + ".");
}

}  // namespace concerto
