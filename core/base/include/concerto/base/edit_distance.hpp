#pragma once

#include <cstddef>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto {

/// How many typing mistakes turn one text into the other: letters that are added, removed or
/// replaced, and neighbours that are swapped. Case does not count (ASCII). For words of a
/// configuration; the time is the product of both lengths.
CONCERTO_EXPORT std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace concerto
