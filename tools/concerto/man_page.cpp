// Man pages in the language of man(7).

#include <algorithm>
#include <cctype>

#include "verb_page.hpp"

namespace concerto::tools {
namespace {

/// Text of a man page: nothing in it is an instruction, and dashes stay what they are.
std::string roff(std::string_view text) {
  std::string escaped;
  bool is_line_begin = true;
  for (const char c : text) {
    if (is_line_begin && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    is_line_begin = c == '\n';
  }
  return escaped;
}

/// A sentence whose first letter is small, as the section NAME has it.
std::string lower_first(std::string text) {
  if (!text.empty()) {
    text.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(text.front())));
  }
  return text;
}

std::string page_name(const VerbPage& page) {
  std::string name = "concerto";
  if (!page.path.empty()) name += "-" + page.path;
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

void append_option(std::string& out, const OptionPage& option) {
  out += ".TP\n";
  std::string heading;
  for (const std::string& name : option.names) {
    if (option.is_word) break;
    heading += (heading.empty() ? "\\fB" : ", \\fB") + roff(name) + "\\fR";
  }
  const std::string value = value_of(option);
  if (!value.empty()) heading += (heading.empty() ? "\\fI" : " \\fI") + roff(value) + "\\fR";
  out += heading + "\n" + roff(option.help + conditions_of(option)) + "\n";
}

void append_options(std::string& out, const VerbPage& page) {
  std::vector<std::string> groups;
  for (const OptionPage& option : page.options) {
    if (std::find(groups.begin(), groups.end(), option.group) == groups.end()) {
      groups.push_back(option.group);
    }
  }
  if (page.options.empty()) return;
  out += ".SH OPTIONS\n";
  for (const std::string& group : groups) {
    if (group != "Options") out += ".SS " + roff(group) + "\n";
    for (const OptionPage& option : page.options) {
      if (option.group == group) append_option(out, option);
    }
  }
}

/// Lines that stay as they are.
void append_footer(std::string& out, const std::string& footer) {
  if (footer.empty()) return;
  out += ".SH NOTES\n.nf\n" + roff(footer) + "\n.fi\n";
}

void append_parts(std::string& out, const VerbPage& page) {
  if (page.parts.empty()) return;
  out += ".SH VERBS\n";
  for (const VerbPage& part : page.parts) {
    out += ".TP\n\\fB" + roff(part.path) + "\\fR\n" + roff(part.help) + "\n";
  }
}

void append_rows(std::string& out) {
  out += ".SH EXIT STATUS\n";
  for (const ExitRow& row : exit_rows()) {
    out += ".TP\n\\fB" + std::to_string(row.code) + "\\fR\n" + roff(row.meaning) + "\n";
  }
  out += ".SH ENVIRONMENT\n";
  for (const VariableRow& row : variable_rows()) {
    out += ".TP\n\\fB" + roff(row.name) + "\\fR\n" + roff(row.meaning) + "\n";
  }
}

}  // namespace

std::string man_page(const VerbPage& page, const VerbPage& program, const std::string& version,
                     const std::string& date) {
  std::string name = page_name(page);
  std::string title = name;
  std::transform(title.begin(), title.end(), title.begin(), [](char c) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  std::string out = ".TH " + title + " 1 " + date + " \"Concerto " + version + "\"\n";
  out += ".SH NAME\n" + roff(name) + " \\- " + roff(lower_first(page.help)) + "\n";
  out += ".SH SYNOPSIS\n\\fB" + roff(usage_of(page)) + "\\fR\n";
  out += ".SH DESCRIPTION\n" + roff(page.help) + ".\n";
  append_parts(out, page);
  append_options(out, page);
  for (const VerbPage& part : page.path.empty() ? std::vector<VerbPage>() : page.parts) {
    out += ".SH " + roff(part.path) + "\n\\fB" + roff(usage_of(part)) + "\\fR\n";
    for (const OptionPage& option : part.options) append_option(out, option);
  }
  append_footer(out, page.footer);
  append_rows(out);
  out += ".SH SEE ALSO\n";
  if (!page.path.empty()) {
    out += "\\fBconcerto\\fR(1)\n";
    return out;
  }
  std::string others;
  for (const VerbPage& verb : program.parts) {
    others += (others.empty() ? "" : ",\n") + ("\\fB" + roff(page_name(verb)) + "\\fR(1)");
  }
  return out + others + "\n";
}

}  // namespace concerto::tools
