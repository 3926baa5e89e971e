#pragma once

#include <cstdint>
#include <string_view>

namespace concerto::persist {

/// The CRC-32C (Castagnoli) of the bytes that `crc` covers, followed by `data`. A `crc` of 0 covers
/// nothing.
std::uint32_t crc32c(std::uint32_t crc, std::string_view data) noexcept;

/// The same without the processor's CRC instruction.
std::uint32_t crc32c_portable(std::uint32_t crc, std::string_view data) noexcept;

}  // namespace concerto::persist
