#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

/// What a transaction's custom_data says to its mode (protocol page 05, sections 3, 4 and 7).
struct CustomData {
  bool concurrent = false;
  std::chrono::seconds delay{};
  /// orders[i] lists the steps that must succeed before step i starts; empty without orders.
  std::vector<std::vector<std::uint32_t>> orders;
  std::string name;  ///< of a workflow
  std::string data;  ///< of a workflow, decoded
};

/// Reads and checks custom_data. `step_count` bounds the indexes of orders. Types that keep other
/// things in custom_data get the defaults.
Result<CustomData> parse_custom_data(TransType type, std::string_view text, std::size_t step_count);

}  // namespace concerto
