#include "config.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <unistd.h>

#include "config_tables.hpp"
#include "config_validate.hpp"
#include "config_yaml.hpp"
#include "secrets.hpp"

namespace concerto::tools {
namespace {

void apply_environment(Config& config, const Environment& environment, const KeyTable& keys,
                       Findings& findings) {
  for (const KeyRow& row : keys.rows()) {
    const std::string name = env_name(row.path);
    const auto value = environment(name);
    if (!value || value->empty()) continue;
    if (is_blank(*value) && keys.needs_value(row)) {
      findings.errors.push_back(std::string(row.path) + " has only blanks and commas" +
                                " (environment variable " + name + ")");
    }
    if (auto result = set_key(config, row, *value); !result) {
      findings.errors.push_back(result.error().detail + " (environment variable " + name + ")");
    }
  }
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

std::vector<std::string> process_variables() {
  std::vector<std::string> names;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view variable(*each);
    names.emplace_back(variable.substr(0, variable.find('=')));
  }
  return names;
}

const ConfigTables& standard_tables() {
  static const ConfigTables tables;
  return tables;
}

LoadedConfig load_config(const std::string& yaml, const Environment& environment,
                         const ConfigTables& tables) {
  LoadedConfig loaded;
  apply_environment(loaded.config, environment, tables.keys, loaded.findings);
  loaded.file_keys = apply_yaml(loaded.config, yaml, tables.keys, loaded.findings);
  read_secret_files(loaded.config, loaded.findings);
  validate(loaded.config, tables.stores, loaded.findings);
  hide_secrets(loaded);
  return loaded;
}

LoadedConfig load_config_file(const std::string& file, const Environment& environment) {
  if (file.empty()) return load_config("", environment);
  errno = 0;
  std::ifstream input{file};
  int reason = errno;
  std::error_code unknown;  // if set, the stream has said why
  const bool directory = std::filesystem::is_directory(file, unknown);
  if (!input || directory) {
    if (directory) reason = EISDIR;
    LoadedConfig refused;
    refused.findings.errors.push_back("cannot read configuration file '" + file +
                                      "': " + std::generic_category().message(reason));
    return refused;
  }
  const std::string text{std::istreambuf_iterator<char>{input}, {}};
  return load_config(text, environment);
}

std::vector<std::string> take_over(const Config& fresh, Config& running,
                                   const ConfigTables& tables) {
  std::vector<std::string> fixed;
  for (const KeyRow& row : tables.keys.rows()) {
    const std::string text = key_text(fresh, row);
    if (text == key_text(running, row)) continue;
    if (row.reloads) {
      ignore_error(set_key(running, row, text), "it is the text of a checked value");
    } else {
      fixed.emplace_back(row.path);
    }
  }
  for (const KeyRow& row : tables.keys.rows()) {
    if (row.is_set == nullptr || !row.reloads) continue;
    row.is_set(running) = row.is_set(const_cast<Config&>(fresh));  // Nothing is written to `fresh`.
  }
  return fixed;
}

std::string summarize(const Config& config, const ConfigTables& tables) {
  const Config defaults;
  std::string text;
  for (const KeyRow& row : tables.keys.rows()) {
    if (key_text(config, row) == key_text(defaults, row)) continue;
    if (!text.empty()) text += ", ";
    text += std::string{row.path} + "=" + masked_text(config, row);
  }
  return text.empty() ? "all keys have their defaults" : text;
}

}  // namespace concerto::tools
