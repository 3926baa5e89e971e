#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config.hpp"

namespace concerto::tools {

/// Sets what a YAML text says over `config`. Values are read as the reference reads them: numbers
/// in every spelling of YAML, anchors, merge keys, the first of several documents.
void apply_yaml(Config& config, const std::string& text, Findings& findings);

/// A number in a spelling of YAML, in decimal digits.
struct YamlInteger {
  std::string digits;
  bool exact = true;  ///< false: it had a fraction, which is cut off
};

/// What the reference's YAML reader makes an integer of: `12`, `12.0`, `1.2e1`, `1_000`, `0x1F`,
/// `0o17`, `017`, `0b11`. Nothing for all else, and for what 64 bits do not hold.
std::optional<YamlInteger> yaml_integer(std::string_view plain);

}  // namespace concerto::tools
