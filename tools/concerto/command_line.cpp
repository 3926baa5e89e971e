#include "command_line.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

#include <concerto/base/edit_distance.hpp>
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

/// What was probably meant by a word that is no subcommand; empty if that is anyone's guess.
std::string nearest_part(const CLI::App& app, const std::string& word) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const CLI::App* const part : app.get_subcommands({})) {
    const std::string& name = part->get_name();
    const bool is_beginning = word.size() > 1 && name.starts_with(word);
    const std::size_t distance = is_beginning ? 0 : edit_distance(word, name);
    if (distance >= least) continue;
    least = distance;
    nearest = name;
  }
  return nearest;
}

/// A word in the place of a verb. `path`: the words before it, as `topics`.
Error unknown_verb(const CLI::App& app, const std::string& path, const std::string& word) {
  const std::string before = path.empty() ? path : path + " ";
  const std::string nearest = nearest_part(app, word);
  return make_error(VerbErrc::usage,
                    "there is no verb '" + before + word + "'" +
                        (nearest.empty() ? "; concerto " + before + "--help shows all of them"
                                         : "; did you mean '" + before + nearest + "'?"));
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
  std::string path;
  for (const CLI::App* at = &app; end < arguments.size(); ++end) {
    const std::string& word = arguments[end];
    const CLI::App* const part = part_of(*at, word);
    const bool has_parts = !at->get_subcommands({}).empty();
    if (part == nullptr && has_parts && !word.starts_with('-')) {
      return unknown_verb(*at, path, word);
    }
    if (part == nullptr) break;
    at = part;
    path += (path.empty() ? "" : " ") + word;
  }
  const auto begin = arguments.begin();
  const auto at = [begin](std::size_t i) { return begin + static_cast<std::ptrdiff_t>(i); };
  if (end > verb) std::rotate(at(1), at(verb), at(end));
  return arguments;
}

}  // namespace concerto::tools
