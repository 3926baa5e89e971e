#pragma once

#include <cstdint>
#include <string>

namespace concerto::load {

/// `1.50`
std::string fixed(double value, int decimals);

/// `12,345`
std::string with_commas(std::uint64_t value);

/// Milliseconds with the digits that matter: `0.712`, `15.3`, `1,250`.
std::string ms_text(double microseconds);

}  // namespace concerto::load
