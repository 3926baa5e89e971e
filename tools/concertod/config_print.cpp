// What is printed from the table of keys.
#include "config_print.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "config_keys.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t sample_line_chars_max = 98;

constexpr std::string_view sample_head =
    "# A configuration of concertod, made by `concertod --print-sample`: every key with its\n"
    "# meaning and its default. To change a key, remove the # before it. `concertod -c <file>`\n"
    "# starts the coordinator with this file; `concertod -c <file> --check-config` only says what\n"
    "# is wrong with the file.\n";

constexpr std::string_view page_head =
    R"(<!-- Made by `concertod --print-keys > docs/configuration.md`, from config_print.cpp. -->

# Configuration

`concertod -c <file>` reads a YAML file, in which the key `Store.Path` is `Path` below `Store`. A
key that the file does not have gets the value of its environment variable. If the variable is not
set or is empty, the key has its default.

    concertod --print-sample > concerto.yml      # every key with its default and its meaning
    concertod -c concerto.yml --check-config     # what is wrong with a file
    concertod -c concerto.yml --print-config     # the values that file and environment give

A number of bytes may have a unit: `64 KiB`, `4 MiB`, `10 GiB`. A key that is marked *reload* takes
effect in a running process at SIGHUP; any other key takes effect at a restart.

[`concerto.yml`](concerto.yml) is what `--print-sample` prints.
[Operations](operations.md#configuration) says more about checks and about SIGHUP.
)";

constexpr std::string_view table_head =
    "\n| key | environment variable | default | meaning | values |\n"
    "| --- | --- | --- | --- | --- |\n";

std::string_view section_of(const KeyRow& row) {
  const auto dot = row.path.find('.');
  return dot == std::string_view::npos ? std::string_view{} : row.path.substr(0, dot);
}

std::string_view name_in_section(const KeyRow& row) {
  return row.path.substr(row.path.rfind('.') + 1);  // npos + 1 is 0.
}

bool is_unused(const KeyRow& row) {
  return row.help.starts_with(unused_mark);
}

/// The keys in the order of a file. Those of the top level come first, because after a section they
/// would belong to it.
std::vector<const KeyRow*> keys_in_file_order(const KeyTable& table) {
  std::vector<const KeyRow*> keys;
  for (const KeyRow& row : table.rows()) keys.push_back(&row);
  std::ranges::stable_partition(keys, [](const KeyRow* row) { return section_of(*row).empty(); });
  return keys;
}

template <class Member>
bool holds(const KeyRow& row) {
  return std::holds_alternative<Member& (*)(Config&)>(row.field);
}

bool reads_back_as(const std::string& yaml, const std::string& text) {
  try {
    return YAML::Load("key: " + yaml)["key"].as<std::string>() == text;
  } catch (const YAML::Exception&) {
    return false;
  }
}

/// The plainest form of a text that reads back as the same text. In single quotes that is not so
/// for line breaks, and in no quotes for bytes that are not UTF-8.
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

std::string yaml_value(const KeyRow& row, const std::string& text) {
  return holds<std::string>(row) ? quote(text) : text;
}

/// The default in a form for people: 4194304 bytes are `4 MiB`.
std::string default_text(const KeyRow& row) {
  std::string text = key_text(Config{}, row);
  if (!row.in_bytes) return text;
  constexpr std::size_t step = 1024;
  std::size_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  std::string_view unit;
  for (const std::string_view larger : {"KiB", "MiB", "GiB"}) {
    if (bytes == 0 || bytes % step != 0) break;
    bytes /= step;
    unit = larger;
  }
  return unit.empty() ? text : std::to_string(bytes) + " " + std::string{unit};
}

/// A number with a comma between thousands.
std::string with_commas(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t left = digits.size(); left > 3; left -= 3) digits.insert(left - 3, ",");
  return digits;
}

/// The values that a key accepts, as `0 to 65,535`. Empty for a text, because the meaning says it.
std::string accepted_values(const KeyRow& row) {
  if (holds<std::string>(row) || holds<LogLevel>(row)) return {};
  if (holds<bool>(row)) return "0 or 1";
  if (row.range.min == KeyRange::any().min) return "a number";
  const std::string from = with_commas(row.range.min);
  if (row.range.max != KeyRange{}.max) return from + " to " + with_commas(row.range.max);
  return from + " or more";
}

/// What follows a key's meaning: the accepted values, and whether a reload applies the key.
std::string remarks(const KeyRow& row) {
  std::string text = accepted_values(row);
  if (row.reloads) text += text.empty() ? "reload" : ", reload";
  return text;
}

/// A comment of the sample, broken into lines of limited length.
std::string comment(std::string_view text, std::string_view indent) {
  const std::string begin = std::string{indent} + "# ";
  const std::size_t chars_max = sample_line_chars_max - begin.size();
  std::string lines;
  while (text.size() > chars_max) {
    const std::size_t end = text.rfind(' ', chars_max);
    if (end == std::string_view::npos) break;
    lines += begin + std::string{text.substr(0, end)} + "\n";
    text.remove_prefix(end + 1);
  }
  return lines + begin + std::string{text} + "\n";
}

std::string code(std::string_view text) {
  return text.empty() ? std::string{} : "`" + std::string{text} + "`";
}

std::string table_line(const KeyRow& row) {
  return "| " + code(row.path) + " | " + code(env_name(row.path)) + " | " +
         code(default_text(row)) + " | " + std::string{row.help} + " | " + remarks(row) + " |\n";
}

}  // namespace

std::string print_config(const Config& config, const ConfigTables& tables) {
  std::string text;
  std::string_view open_section;
  for (const KeyRow* row : keys_in_file_order(tables.keys)) {
    const std::string_view section = section_of(*row);
    if (section != open_section) text += std::string{section} + ":\n";
    open_section = section;
    const std::string value = masked_text(config, *row);
    const bool hides = value != key_text(config, *row);
    const bool is_missing =
        (row->is_set != nullptr &&
         !row->is_set(const_cast<Config&>(config))) ||  // It is only read.
        (holds<std::string>(*row) && is_blank(value) && tables.keys.needs_value(*row));
    if (!section.empty()) text += "  ";
    if (hides || is_missing) text += "# ";
    text += std::string{name_in_section(*row)} + ": " + yaml_value(*row, value);
    if (hides) text += "  (set; what is secret is not shown)";
    if (is_missing) text += "  (not set; see the meaning of the key)";
    text += '\n';
  }
  return text;
}

std::string print_sample(const ConfigTables& tables) {
  std::string text{sample_head};
  std::string_view open_section;
  for (const KeyRow* row : keys_in_file_order(tables.keys)) {
    if (is_unused(*row)) continue;
    const std::string_view section = section_of(*row);
    text += '\n';
    if (section != open_section) text += std::string{section} + ":\n";
    open_section = section;
    const std::string_view indent = section.empty() ? "" : "  ";
    const std::string remark = remarks(*row);
    text += comment(std::string{row->help} + (remark.empty() ? "" : " (" + remark + ")"), indent);
    text += std::string{indent} + "#" + std::string{name_in_section(*row)} + ": " +
            yaml_value(*row, default_text(*row)) + "\n";
  }
  return text;
}

std::string print_key_page(const ConfigTables& tables) {
  std::string text{page_head};
  std::string unused = "\n## Accepted and unused\n\nFiles for DTM's server have these keys too.\n" +
                       std::string{table_head};
  std::optional<std::string_view> open_section;
  for (const KeyRow* row : keys_in_file_order(tables.keys)) {
    if (is_unused(*row)) {
      unused += table_line(*row);
      continue;
    }
    const std::string_view section = section_of(*row);
    if (section != open_section) {
      text += "\n## " + (section.empty() ? "Top level" : code(section)) + "\n";
      text += table_head;
    }
    open_section = section;
    text += table_line(*row);
  }
  return text + unused;
}

}  // namespace concerto::tools
