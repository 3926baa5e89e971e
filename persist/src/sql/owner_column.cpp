#include "owner_column.hpp"

#include <array>
#include <cstdint>

#include <sys/random.h>

#include <concerto/base/assert.hpp>
#include <concerto/base/counted.hpp>

namespace concerto::persist {

Holder holder_of(std::string_view owner, std::string_view this_node) noexcept {
  if (owner == rest_mark) return Holder::nobody;
  if (owner == this_node) return Holder::this_node;
  return owner.starts_with(node_mark) ? Holder::other_node : Holder::reference;
}

void TakenOver::add(std::string_view owner) {
  ++sum_;
  const auto known = counts_.find(owner);
  if (known != counts_.end()) {
    ++known->second;
  } else if (counts_.size() < owners_named_max) {
    counts_.emplace(owner, 1);
  }
}

std::string TakenOver::line() const {
  if (sum_ == 0) return {};
  std::string text = "took over " + counted(sum_, "transaction") + " of ";
  std::size_t named = 0;
  for (const auto& [owner, count] : counts_) {
    if (named > 0) text += ", ";
    text += owner;
    if (count < sum_) text += " (" + std::to_string(count) + ")";
    named += count;
  }
  if (named < sum_) text += " and others";
  return text + ": " + (sum_ == 1 ? "the lease was" : "the leases were") +
         " over and not renewed, as after a crash or a long pause of a coordinator";
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
