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
// transaction has those that it calls next. A failed transaction has those of its failed branches;
// if no branch has failed, as after a timeout, it has those of the branches that have not
// succeeded. A succeeded transaction has none. All are masked: what is not shown cannot be searched
// for either.

inline constexpr std::size_t trouble_urls_max = 8;

/// The first few of these URLs, each once.
std::vector<std::string> trouble_urls(const Transaction& trans, const ModeTable& modes);

/// What an unfinished transaction does next, nullopt if its stored data is damaged.
std::optional<Next> next_of(const Transaction& trans, const Mode& mode);

/// The rows that it calls next.
std::vector<std::uint32_t> next_rows(const Transaction& trans, const Mode& mode);

/// Whether one of these URLs has `text` in it.
bool has_trouble_at(const Transaction& trans, const ModeTable& modes, std::string_view text);

}  // namespace concerto
