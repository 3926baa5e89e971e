#pragma once

#include <cstdint>
#include <utility>

#include "../commit_request.hpp"
#include "record.hpp"

namespace concerto::persist {

/// A change of the store's log.
struct LogRequest : CommitRequest {
  enum class Kind : std::uint8_t { create, update, kv_create, kv_update, kv_erase, move, append };

  LogRequest() { bytes = sizeof(LogRequest); }
  /// Before the request is queued.
  void set_record(EncodedRecord encoded) {
    record = std::move(encoded);
    bytes = sizeof(LogRequest) + record.payload.size();
  }

  Kind kind = Kind::append;
  EncodedRecord record;  ///< of a key-value change: made when the ledger orders the change
  Fingerprint fingerprint;
  const Transaction* trans = nullptr;   ///< create
  const UpdateTrans* update = nullptr;  ///< update
  const KvRecord* kv = nullptr;         ///< kv_create, kv_update, kv_erase
  Place moved_from;                     ///< move: the last record that is summed up in `record`

  Place place;  ///< where the record is, once the ledger has ordered the change
};

}  // namespace concerto::persist
