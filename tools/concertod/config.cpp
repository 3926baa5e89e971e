#include "config.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <yaml-cpp/yaml.h>

#include "config_keys.hpp"
#include "config_validate.hpp"
#include "config_yaml.hpp"

namespace concerto::tools {
namespace {

std::string section_of(std::string_view path) {
  const auto dot = path.find('.');
  return dot == std::string_view::npos ? std::string{} : std::string{path.substr(0, dot)};
}

void apply_environment(Config& config, const Environment& environment, Findings& findings) {
  for (const KeyRow& row : config_keys()) {
    const std::string name = env_name(row.path);
    const auto value = environment(name);
    if (!value || value->empty()) continue;
    if (auto result = set_key(config, row, *value); !result) {
      findings.errors.push_back(result.error().detail + " (environment variable " + name + ")");
    }
  }
}

bool reads_back_as(const std::string& yaml, const std::string& text) {
  try {
    return YAML::Load("key: " + yaml)["key"].as<std::string>() == text;
  } catch (const YAML::Exception&) {
    return false;
  }
}

/// The plainest form of a text that is read back the same: line breaks do not stand in single
/// quotes, and what is no UTF-8 in none.
std::string quote(const std::string& text) {
  for (const auto style : {YAML::SingleQuoted, YAML::DoubleQuoted}) {
    YAML::Emitter out;
    out << style << text;
    if (out.good() && reads_back_as(out.c_str(), text)) return out.c_str();
  }
  YAML::Emitter out;
  out << YAML::Binary(reinterpret_cast<const unsigned char*>(text.data()), text.size());
  return out.c_str();
}

bool is_text(const KeyRow& row) {
  return std::holds_alternative<std::string& (*)(Config&)>(row.field);
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

LoadedConfig load_config(const std::string& yaml, const Environment& environment) {
  LoadedConfig loaded;
  apply_environment(loaded.config, environment, loaded.findings);
  apply_yaml(loaded.config, yaml, loaded.findings);
  validate(loaded.config, loaded.findings);
  return loaded;
}

LoadedConfig load_config_file(const std::string& file, const Environment& environment) {
  if (file.empty()) return load_config("", environment);
  errno = 0;
  std::ifstream input{file};
  int reason = errno;
  std::error_code unknown;  // Then the stream has said why.
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

std::vector<std::string> take_over(const Config& fresh, Config& running) {
  std::vector<std::string> fixed;
  for (const KeyRow& row : config_keys()) {
    const std::string text = key_text(fresh, row);
    if (text == key_text(running, row)) continue;
    if (row.reloads) {
      ignore_error(set_key(running, row, text), "it is the text of a checked value");
    } else {
      fixed.emplace_back(row.path);
    }
  }
  return fixed;
}

std::string print_config(const Config& config) {
  std::string text;
  std::string open_section;
  // Keys of the top level first: behind a section they would belong to it.
  for (const bool sections : {false, true}) {
    for (const KeyRow& row : config_keys()) {
      const std::string section = section_of(row.path);
      if (section.empty() == sections) continue;
      if (sections && section != open_section) text += section + ":\n";
      open_section = section;
      const std::string value = masked_text(config, row);
      const bool hides = value != key_text(config, row);
      if (sections) text += "  ";
      if (hides) text += "# ";
      text += row.path.substr(section.empty() ? 0 : section.size() + 1);
      text += ": " + (is_text(row) ? quote(value) : value);
      if (hides) text += "  (set; what is secret is not shown)";
      text += '\n';
    }
  }
  return text;
}

std::string summarize(const Config& config) {
  const Config defaults;
  std::string text;
  for (const KeyRow& row : config_keys()) {
    if (key_text(config, row) == key_text(defaults, row)) continue;
    if (!text.empty()) text += ", ";
    text += std::string{row.path} + "=" + masked_text(config, row);
  }
  return text.empty() ? "all keys have their defaults" : text;
}

}  // namespace concerto::tools
