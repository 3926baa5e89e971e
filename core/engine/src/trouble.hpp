#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/mode.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

// The URLs at which a transaction is stuck or has failed, from what is stored alone. Of an
// unfinished one those that it calls next; of a failed one those of its failed branches, or
// without any, as after a timeout, those that have not succeeded. None of what went well. All of
// them masked: what is not shown cannot be searched for either.

inline constexpr std::size_t trouble_urls_max = 8;

/// The first few of them, each once.
std::vector<std::string> trouble_urls(const Transaction& trans, const ModeTable& modes);

/// Whether one of them has this text in it.
bool has_trouble_at(const Transaction& trans, const ModeTable& modes, std::string_view text);

}  // namespace concerto
