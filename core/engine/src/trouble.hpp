#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/mode.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

// The URLs at which a transaction is stuck or has failed, from stored data alone. An unfinished
// transaction has those that it calls next; a prepared message has the one at which its application
// is asked, also before its timeout. A failed transaction has those of its failed branches. If no
// branch has failed, a saga has those of the actions that were undone without having succeeded, as
// after a timeout, and any other transaction has none: what it did not call is no trouble. A
// succeeded transaction has none. All are masked: what is not shown cannot be searched for either.

inline constexpr std::size_t trouble_urls_max = 8;

/// The first few of these URLs, each once.
std::vector<std::string> trouble_urls(const Transaction& trans, const ModeTable& modes);

/// What an unfinished transaction does next, nullopt if its stored data is damaged. Of a prepared
/// transaction it is what the transaction does after its timeout, or with `timed_out` false what it
/// does before that.
std::optional<Next> next_of(const Transaction& trans, const Mode& mode, bool timed_out = true);

/// Whether a prepared transaction has been looked at, as after its timeout: only passes change it
/// before its application does.
inline bool was_looked_at(const Transaction& trans) noexcept {
  return trans.update_time > trans.create_time;
}

/// The rows that it calls next.
std::vector<std::uint32_t> next_rows(const Transaction& trans, const Mode& mode);

/// Whether one of these URLs has `text` in it.
bool has_trouble_at(const Transaction& trans, const ModeTable& modes, std::string_view text);

}  // namespace concerto
