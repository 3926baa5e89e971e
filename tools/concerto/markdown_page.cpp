// docs/cli.md

#include <algorithm>

#include "cli_beginning.hpp"
#include "verb_page.hpp"

namespace concerto::tools {
namespace {

std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

void append_option_row(std::string& out, const OptionPage& option) {
  std::string names;
  for (const std::string& name : option.names) {
    if (option.is_word) break;
    names += (names.empty() ? "" : ", ") + name;
  }
  const std::string value = value_of(option);
  if (!value.empty()) names += (names.empty() ? "" : " ") + value;
  out += "| `" + cell(names) + "` | " + cell(option.help + conditions_of(option)) + " |\n";
}

bool is_shared(const OptionPage& option) {
  return option.group == "Coordinator" || option.group == "Selection" ||
         std::find(option.names.begin(), option.names.end(), "--help") != option.names.end();
}

void append_rows_of(std::string& out, const VerbPage& page) {
  if (std::all_of(page.options.begin(), page.options.end(), is_shared)) return;
  out += "\n| option | what it does |\n| --- | --- |\n";
  for (const OptionPage& option : page.options) {
    if (!is_shared(option)) append_option_row(out, option);
  }
}

bool has_group(const VerbPage& page, std::string_view group) {
  return std::any_of(page.options.begin(), page.options.end(),
                     [group](const OptionPage& option) { return option.group == group; });
}

void append_verb(std::string& out, const VerbPage& page) {
  out += (page.path.find(' ') == std::string::npos ? "\n### " : "\n#### ") + page.path + "\n\n";
  out += page.help + ".\n\n    " + usage_of(page) + "\n";
  append_rows_of(out, page);
  std::string shared;
  if (has_group(page, "Selection")) shared = "[selection](#selection)";
  if (has_group(page, "Coordinator")) {
    shared += (shared.empty() ? "" : " and ") + std::string("[coordinator](#coordinator)");
  }
  if (!shared.empty()) out += "\nAlso the options of " + shared + ".\n";
  if (!page.footer.empty()) {
    out += "\n    ";
    for (const char c : page.footer) out += c == '\n' ? std::string("\n    ") : std::string(1, c);
    out += '\n';
  }
  for (const VerbPage& part : page.parts) append_verb(out, part);
}

/// The options of a group, as the first verb has them.
void append_group(std::string& out, const VerbPage& program, std::string_view group,
                  std::string_view heading) {
  out += "\n### ";
  out.append(heading).append("\n\n| option | what it does |\n| --- | --- |\n");
  for (const VerbPage& verb : program.parts) {
    if (!has_group(verb, group)) continue;
    for (const OptionPage& option : verb.options) {
      if (option.group == group) append_option_row(out, option);
    }
    return;
  }
}

}  // namespace

std::string markdown_page(const VerbPage& program) {
  std::string out(cli_beginning);
  out += "\n## Exit codes\n\n| code | meaning |\n| --- | --- |\n";
  for (const ExitRow& row : exit_rows()) {
    out += "| " + std::to_string(row.code) + " | " + std::string(row.meaning) + " |\n";
  }
  out += "\n## Environment\n\n| variable | meaning |\n| --- | --- |\n";
  for (const VariableRow& row : variable_rows()) {
    out += "| `" + std::string(row.name) + "` | " + std::string(row.meaning) + " |\n";
  }
  out += "\n## Options of many verbs\n";
  append_group(out, program, "Coordinator", "Coordinator");
  append_group(out, program, "Selection", "Selection");
  out += "\n## Verbs\n";
  for (const VerbPage& verb : program.parts) append_verb(out, verb);
  return out;
}

}  // namespace concerto::tools
