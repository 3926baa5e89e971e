#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config_keys.hpp"

namespace concerto::tools {

/// Sets the keys of a YAML text in `config`. Values are read as the reference reads them: numbers
/// in every spelling of YAML, anchors, merge keys, the first of several documents. Returns how many
/// keys the text has.
std::size_t apply_yaml(Config& config, const std::string& text, const KeyTable& keys,
                       Findings& findings);

/// A YAML number, converted to decimal digits.
struct YamlInteger {
  std::string digits;
  bool exact = true;  ///< false: the number had a fraction, which was cut off
};

/// Reads an integer in all spellings that the reference's YAML reader accepts: `12`, `12.0`,
/// `1.2e1`, `1_000`, `0x1F`, `0o17`, `017`, `0b11`. Returns nothing for other texts, and for
/// integers that do not fit into 64 bits.
std::optional<YamlInteger> yaml_integer(std::string_view plain);

}  // namespace concerto::tools
