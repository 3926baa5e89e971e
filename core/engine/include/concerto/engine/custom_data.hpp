#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/json_tree.hpp>

namespace concerto {

/// What a transaction's custom_data says to its mode (protocol page 05, sections 3, 4 and 7). A
/// mode fills in what it has a use for; see Mode::read_custom.
struct CustomData {
  bool concurrent = false;
  std::chrono::seconds delay{};  ///< after the submit; nothing is called before
  /// orders[i] lists the steps that must succeed before step i starts; empty without orders.
  std::vector<std::vector<std::uint32_t>> orders;
  std::string name;  ///< op of the call that resumes the transaction
  std::string data;  ///< payload of that call
};

/// The error of custom_data that a mode cannot read: invalid_request with a text that says where
/// the fault is.
Error bad_custom_data(std::string_view text);

/// A value as such a text shows it: a whole number itself, otherwise the kind of the value.
std::string shown_value(JsonValue value);

}  // namespace concerto
