#include "verbs.hpp"

#include <array>

namespace concerto::tools {

std::span<const Verb> verbs() noexcept {
  static constexpr std::array table = {
      Verb{"migrate", "Copy transactions and topics from one store to another", add_migrate},
  };
  return table;
}

}  // namespace concerto::tools
