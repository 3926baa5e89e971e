#include "command_line.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

#include <concerto/transport/http_message.hpp>

#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr const char* wants_text = "expected a text that is not empty";

/// A remark may be none, and what concerto-load is told is not for this program to judge.
bool may_be_empty(const CLI::Option& option) {
  return option.check_lname("remark") || option.get_name() == "arguments";
}

void refuse_empty_texts(CLI::App& app) {
  const CLI::Validator some_text(
      [](const std::string& text) { return net::trim_blanks(text).empty() ? wants_text : ""; }, "");
  for (CLI::Option* const option : app.get_options()) {
    const bool has_value = option->get_items_expected_max() > 0;
    if (has_value && !may_be_empty(*option)) option->check(some_text);
  }
  for (CLI::App* const part : app.get_subcommands({})) refuse_empty_texts(*part);
}

bool is_for_every_verb(const CLI::Option& option) {
  return option.get_group() == "Coordinator" || option.check_lname("output");
}

/// How many words an option before the verb has; 0: it is none of those.
std::size_t words_before_verb(const CLI::App& app, std::string_view word) {
  const std::string name(word.substr(0, word.find('=')));
  for (const CLI::App* const verb : app.get_subcommands({})) {
    for (const CLI::Option* const option : verb->get_options({})) {
      if (!is_for_every_verb(*option)) continue;
      if (option->check_name(name)) return name.size() == word.size() ? 2 : 1;
      const bool is_short = word.size() > 2 && word[0] == '-' && word[1] != '-';
      if (is_short && option->check_name(std::string(word.substr(0, 2)))) return 1;  // -ojson
    }
  }
  return 0;
}

/// The subcommand with this name; null without one.
const CLI::App* part_of(const CLI::App& app, const std::string& name) {
  for (const CLI::App* const part : app.get_subcommands({})) {
    if (part->get_name() == name) return part;
  }
  return nullptr;
}

}  // namespace

KnownVerbs add_verbs(CLI::App& app) {
  KnownVerbs known;
  for (const Verb& verb : verbs()) {
    CLI::App* const options = app.add_subcommand(std::string(verb.name), std::string(verb.help));
    known.emplace_back(options, verb.add(*options));
  }
  refuse_empty_texts(app);
  return known;
}

Result<std::vector<std::string>> in_order(const CLI::App& app, std::vector<std::string> arguments) {
  for (const std::string& word : arguments) {
    if (word == "--") break;
    const std::size_t equals = word.find('=');
    if (word.starts_with("--") && equals + 1 == word.size()) {
      return make_error(VerbErrc::usage, word.substr(0, equals) + ": " + wants_text);
    }
  }
  std::size_t verb = 1;
  while (verb < arguments.size()) {
    const std::size_t words = words_before_verb(app, arguments[verb]);
    if (words == 0) break;
    verb += words;
  }
  if (verb >= arguments.size()) return arguments;
  std::size_t end = verb;  // behind `topics list`
  for (const CLI::App* at = &app; end < arguments.size(); ++end) {
    at = part_of(*at, arguments[end]);
    if (at == nullptr) break;
  }
  const auto begin = arguments.begin();
  const auto at = [begin](std::size_t i) { return begin + static_cast<std::ptrdiff_t>(i); };
  if (end > verb) std::rotate(at(1), at(verb), at(end));
  return arguments;
}

}  // namespace concerto::tools
