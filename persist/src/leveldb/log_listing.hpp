#pragma once

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "listing.hpp"

namespace concerto::persist {

/// A page of transactions of any status, from the log.
Result<std::unique_ptr<Listing>> begin_log_listing(const StoreReader& reader, StoreCore& core,
                                                   ListFilter filter, const std::string& position,
                                                   std::size_t limit);

/// The whole text as a number.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace concerto::persist
