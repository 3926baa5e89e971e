#include "owner_column.hpp"

#include <array>
#include <cstdint>

#include <sys/random.h>

#include <concerto/base/assert.hpp>

namespace concerto::persist {

Holder holder_of(std::string_view owner, std::string_view this_node) noexcept {
  if (owner == rest_mark) return Holder::nobody;
  if (owner == this_node) return Holder::this_node;
  return owner.starts_with(node_mark) ? Holder::other_node : Holder::reference;
}

std::string new_node_id() {
  // As the gids of the protocol: without characters that look alike.
  constexpr std::string_view alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::array<std::uint64_t, 22> random{};
  const auto bytes = ::getrandom(random.data(), sizeof random, 0);
  CONCERTO_ASSERT(bytes == static_cast<ssize_t>(sizeof random));
  std::string id{node_mark};
  for (const std::uint64_t bits : random) id += alphabet[bits % alphabet.size()];
  return id;
}

}  // namespace concerto::persist
