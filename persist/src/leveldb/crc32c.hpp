#pragma once

#include <cstdint>
#include <string_view>

namespace concerto::persist {

/// CRC-32C (Castagnoli) of `data` appended to what `crc` covers; 0 covers nothing.
std::uint32_t crc32c(std::uint32_t crc, std::string_view data) noexcept;

/// The same without the processor's instruction for it.
std::uint32_t crc32c_portable(std::uint32_t crc, std::string_view data) noexcept;

}  // namespace concerto::persist
