#pragma once

#include <cstdint>
#include <string_view>

#include <concerto/engine/store.hpp>

namespace concerto::tools {

/// Whether a checksum covers Transaction::waits. A store in rows derives `waits` from the time, so
/// it may change while nobody changes the transaction.
enum class Waits : std::uint8_t { counts, ignored };

/// 64 bits that differ if two transactions differ in any field, except by accident. How branches
/// share payloads does not count.
std::uint64_t checksum(const Transaction& trans, Waits waits);
std::uint64_t checksum(const KvRecord& record);
std::uint64_t checksum(std::string_view text);

}  // namespace concerto::tools
