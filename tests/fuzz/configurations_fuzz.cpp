// Configuration files. The printed form of a configuration is read as the same configuration, and
// no text that people see has one of its secrets.

#include "config.hpp"
#include "config_keys.hpp"
#include "config_print.hpp"
#include "config_yaml.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {
namespace {

using namespace tools;

const Environment empty_environment = [](const std::string&) -> std::optional<std::string> {
  return {};
};

void check_round_trip(const Config& config) {
  const LoadedConfig again = load_config(print_config(config), empty_environment);
  require(again.findings.errors.empty() && again.findings.unknown_keys.empty());
  for (const KeyRow& row : KeyTable::standard().rows()) {
    if (row.secrecy == Secrecy::open && masked_text(config, row) == key_text(config, row)) {
      require(key_text(again.config, row) == key_text(config, row));
    }
  }
}

void check_secrets(Config config) {
  constexpr std::string_view password = "hunter2-of-nobody";
  for (const KeyRow& row : KeyTable::standard().rows()) {
    if (row.secrecy == Secrecy::secret) require(set_key(config, row, password).has_value());
  }
  require(summarize(config).find(password) == std::string::npos);
  require(print_config(config).find(password) == std::string::npos);
}

void check_integer(std::string_view text) {
  const auto number = yaml_integer(text);
  if (!number) return;
  const auto again = yaml_integer(number->digits);
  require(again && again->exact && again->digits == number->digits);
}

}  // namespace

void configurations(std::string_view input) {
  std::string_view lines = input;
  check_integer(take_line(lines));
  const LoadedConfig loaded = load_config(std::string{input}, empty_environment);
  check_secrets(loaded.config);
  if (loaded.findings.errors.empty()) check_round_trip(loaded.config);
}

}  // namespace concerto::fuzz
