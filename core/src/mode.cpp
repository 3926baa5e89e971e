#include "mode.hpp"

#include <array>

namespace concerto {

const Mode* find_mode(TransType type) noexcept {
  static constexpr std::array modes{&modes::saga, &modes::msg};
  for (const Mode* mode : modes) {
    if (mode->type == type) return mode;
  }
  return nullptr;
}

std::string step_branch_id(std::size_t step_number) {
  const std::string digits = std::to_string(step_number);
  return digits.size() < 2 ? "0" + digits : digits;
}

}  // namespace concerto
