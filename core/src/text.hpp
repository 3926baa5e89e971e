#pragma once

#include <cstddef>
#include <string>

namespace concerto {

/// `text` cut to at most `bytes_max` bytes, on a character boundary of UTF-8.
std::string cut_text(std::string text, std::size_t bytes_max);

}  // namespace concerto
