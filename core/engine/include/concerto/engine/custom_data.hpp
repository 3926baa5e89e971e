#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/json_tree.hpp>

namespace concerto {

/// What the custom_data of a transaction tells its mode (protocol page 05, sections 3, 4 and 7).
/// Each mode fills in the fields that it uses; see Mode::read_custom.
struct CustomData {
  bool concurrent = false;
  std::chrono::seconds delay{};  ///< how long after the submit nothing is called
  /// orders[i] lists the steps that must succeed before step i starts; empty without orders.
  std::vector<std::vector<std::uint32_t>> orders;
  std::string name;  ///< op of the call that resumes the transaction
  std::string data;  ///< payload of that call
};

/// The error for custom_data that a mode cannot read: invalid_request. `text` says what is wrong.
CONCERTO_EXPORT Error bad_custom_data(std::string_view text);

/// A value as such an error shows it: a whole number as it is, any other value as its kind.
CONCERTO_EXPORT std::string shown_value(JsonValue value);

}  // namespace concerto
