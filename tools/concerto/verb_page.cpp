#include "verb_page.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "verbs.hpp"

namespace concerto::tools {
namespace {

/// The words between the braces that CLI11 has behind the name of a type.
std::vector<std::string> choices_in(const std::string& type) {
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}');
  if (begin == std::string::npos || end == std::string::npos) return {};
  return CLI::detail::split(type.substr(begin + 1, end - begin - 1), ',');
}

OptionPage describe_option(const CLI::Option& option) {
  OptionPage page;
  page.is_word = option.get_positional();
  if (page.is_word) {
    page.names.push_back(option.get_name(true, false));
  } else {
    for (const std::string& name : option.get_snames()) page.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) page.names.push_back("--" + name);
  }
  for (const CLI::Option* const needed : option.get_needs()) {
    page.needs.push_back(needed->get_positional() ? needed->get_type_name() : needed->get_name());
  }
  std::ranges::sort(page.needs, std::ranges::greater{});  // words before options
  page.has_value = option.get_items_expected_max() > 0;
  if (page.has_value) {
    const std::string type = option.get_type_name();
    page.choices = choices_in(type);
    if (page.choices.empty()) page.value = type.substr(0, type.find(':'));
  }
  page.help = option.get_description();
  page.normal = option.get_default_str();
  page.group = option.get_group();
  page.is_required = option.get_required();
  page.may_repeat = option.get_items_expected_max() > 1;
  return page;
}

}  // namespace

std::string_view VerbPage::name() const noexcept {
  const std::string_view whole = path;
  return whole.substr(whole.find_last_of(' ') + 1);
}

VerbPage describe(const CLI::App& app, const std::string& path) {
  VerbPage page;
  page.path = path;
  page.help = app.get_description();
  page.footer = app.get_footer();
  for (const CLI::Option* const option : app.get_options({})) {
    page.options.push_back(describe_option(*option));
  }
  std::stable_partition(page.options.begin(), page.options.end(),
                        [](const OptionPage& option) { return option.is_word; });
  for (const CLI::App* const part : app.get_subcommands({})) {
    const std::string& name = part->get_name();
    page.parts.push_back(describe(*part, path.empty() ? name : path + " " + name));
  }
  return page;
}

std::string usage_of(const VerbPage& page) {
  std::string usage = "concerto";
  if (!page.path.empty()) usage += " " + page.path;
  usage += " [OPTIONS]";
  for (const OptionPage& option : page.options) {
    if (!option.is_word) continue;
    std::string word = option.choices.empty() ? option.value : value_of(option);
    if (option.may_repeat) word += "..";
    usage += option.is_required ? " " + word : " [" + word + "]";
  }
  if (!page.parts.empty()) usage += " VERB ..";
  return usage;
}

std::string value_of(const OptionPage& option) {
  if (!option.has_value) return {};
  return option.choices.empty() ? option.value : CLI::detail::join(option.choices, "|");
}

std::string conditions_of(const OptionPage& option) {
  std::string conditions;
  if (!option.normal.empty()) conditions += " (normally " + option.normal + ")";
  if (option.is_required && !option.is_word) conditions += " (required)";
  const std::string needs = CLI::detail::join(option.needs, " and ");
  if (!needs.empty()) conditions += " (with " + needs + ")";
  return conditions;
}

const std::vector<ExitRow>& exit_rows() {
  static const std::vector<ExitRow> rows = {
      {0, "done"},
      {exit_failed, "it began and did not come to a good end, or nobody knows whether it did"},
      {exit_usage, "the command line, a context, or a file that they name is wrong"},
      {exit_refused, "refused (rights, a wrong value, an older coordinator); nothing was changed"},
      {exit_not_found, "the transaction, job or context is not there"},
      {exit_unreachable,
       "the coordinator cannot be asked now, or something else answers there; nothing was changed"},
      {exit_partly, "done to some transactions, and not to others"},
      {exit_trans_failed, "watch: the transaction has failed"},
      {exit_late, "watch: the time of --for was over before the transaction ended"},
      {130, "interrupted (Ctrl-C)"}};
  return rows;
}

const std::vector<VariableRow>& variable_rows() {
  static const std::vector<VariableRow> rows = {
      {"CONCERTO_SERVER", "the coordinator's URL, without --server and --context"},
      {"CONCERTO_CONTEXT", "the context, without these options and CONCERTO_SERVER"},
      {"CONCERTO_TOKEN_FILE", "file with the token, if neither options nor context name one"},
      {"CONCERTO_TOKEN", "the token, if no file is named either"},
      {"CONCERTO_CONFIG", "the file of contexts, in place of concerto/config.yml"},
      {"XDG_CONFIG_HOME", "where concerto/config.yml is; without it ~/.config"},
      {"NO_COLOR", "if it is not empty, a terminal gets no colours"},
      {"HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "proxies, as for other programs"}};
  return rows;
}

}  // namespace concerto::tools
