// Variables of the environment, one `NAME=value` per line. They set what a file with the same
// values sets.

#include <map>

#include "config.hpp"
#include "config_keys.hpp"
#include "config_print.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {

void environments(std::string_view input) {
  using namespace tools;
  std::map<std::string, std::string> variables;
  while (!input.empty()) {
    const std::string_view line = take_line(input);
    const std::size_t equals = std::min(line.find('='), line.size());
    variables[std::string{line.substr(0, equals)}] = line.substr(std::min(equals + 1, line.size()));
  }
  const Environment environment =
      [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional{found->second};
  };
  const LoadedConfig loaded = load_config({}, environment);
  (void)summarize(loaded.config);
  if (!loaded.findings.errors.empty()) return;
  const LoadedConfig printed = load_config(print_config(loaded.config), environment);
  require(printed.findings.errors.empty());
  for (const KeyRow& row : KeyTable::standard().rows()) {
    require(key_text(printed.config, row) == key_text(loaded.config, row));
  }
}

}  // namespace concerto::fuzz
