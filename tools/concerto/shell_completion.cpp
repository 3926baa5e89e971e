// The completions of bash, zsh and fish. All three walk over the words before the cursor, to find
// the verb that is being completed, and whether the word at the cursor is the value of an option.

#include <algorithm>
#include <functional>

#include "verb_page.hpp"

namespace concerto::tools {
namespace {

using Words = std::vector<std::string>;

void each_page(const VerbPage& page, const std::function<void(const VerbPage&)>& visit) {
  visit(page);
  for (const VerbPage& part : page.parts) each_page(part, visit);
}

/// `'a' 'b'`, each in single quotes of a shell.
std::string quoted(std::string_view text, std::string_view quote_inside) {
  std::string whole = "'";
  for (const char c : text) {
    if (c == '\'') {
      whole += quote_inside;
    } else {
      whole += c;
    }
  }
  return whole + "'";
}

std::string in_shell(std::string_view text) {
  return quoted(text, "'\\''");
}

std::string words_in_line(const Words& words) {
  std::string whole;
  for (const std::string& word : words) whole += (whole.empty() ? "" : " ") + word;
  return whole;
}

/// The patterns `path|--option` of an option.
std::string patterns_of(const VerbPage& page, const OptionPage& option, char separator) {
  std::string patterns;
  for (const std::string& name : option.names) {
    if (!patterns.empty()) patterns += separator;
    patterns += in_shell(page.path + "|" + name);
  }
  return patterns;
}

bool names_files(const OptionPage& option) {
  return option.value == "FILE" || option.value == "DIRECTORY" || option.value == "STORE";
}

bool names_contexts(const OptionPage& option) {
  return option.value == "CONTEXT";
}

/// What stands at the cursor when it is no value: verbs below, words, names of options.
Words words_of(const VerbPage& page) {
  Words words;
  for (const VerbPage& part : page.parts) words.emplace_back(part.name());
  for (const OptionPage& option : page.options) {
    if (option.is_word) {
      words.insert(words.end(), option.choices.begin(), option.choices.end());
    } else {
      words.insert(words.end(), option.names.begin(), option.names.end());
    }
  }
  return words;
}

bool has_context_word(const VerbPage& page) {
  return std::any_of(page.options.begin(), page.options.end(), [](const OptionPage& option) {
    return option.is_word && names_contexts(option);
  });
}

/// The cases of bash and zsh that walk over the words: `'|list') at=list ;;`.
std::string walking_cases(const VerbPage& program) {
  std::string cases;
  each_page(program, [&cases](const VerbPage& page) {
    for (const VerbPage& part : page.parts) {
      cases += "      " + in_shell(page.path + "|" + std::string(part.name())) +
               ") at=" + in_shell(part.path) + " ;;\n";
    }
    for (const OptionPage& option : page.options) {
      if (option.is_word || !option.has_value) continue;
      cases += "      " + patterns_of(page, option, '|') + ") wants=1 ;;\n";
    }
  });
  return cases;
}

/// The cases of values: `act` makes the command that offers them.
std::string value_cases(const VerbPage& program,
                        const std::function<std::string(const OptionPage&)>& act) {
  std::string cases;
  each_page(program, [&](const VerbPage& page) {
    for (const OptionPage& option : page.options) {
      const std::string command = act(option);
      if (option.is_word || command.empty()) continue;
      cases += "      " + patterns_of(page, option, '|') + ") " + command + " ;;\n";
    }
  });
  return cases;
}

std::string bash_value(const OptionPage& option) {
  if (!option.choices.empty()) {
    return "COMPREPLY=($(compgen -W " + in_shell(words_in_line(option.choices)) + " -- \"$cur\"))";
  }
  if (names_files(option)) return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))";
  if (!names_contexts(option)) return {};
  return "COMPREPLY=($(compgen -W \"$(concerto context list --names 2> /dev/null)\" -- \"$cur\"))";
}

std::string zsh_value(const OptionPage& option) {
  if (!option.choices.empty()) return "compadd -- " + words_in_line(option.choices);
  if (names_files(option)) return "_files";
  if (!names_contexts(option)) return {};
  return "compadd -- ${(f)\"$(concerto context list --names 2> /dev/null)\"}";
}

/// `'name:help'` for _describe of zsh.
std::string described(const std::string& name, const std::string& help) {
  std::string text = name + ":";
  for (const char c : help) {
    if (c == ':') text += '\\';
    text += c;
  }
  return in_shell(text);
}

void append_fish_option(std::string& out, const VerbPage& page, const OptionPage& option) {
  const std::string at = " -n \"__concerto_at '" + page.path + "'\"";
  const auto in_fish = [](std::string_view text) { return quoted(text, "\\'"); };
  std::string values;
  if (!option.choices.empty()) {
    values = " -a " + in_fish(words_in_line(option.choices));
  } else if (names_contexts(option)) {
    values = " -a '(concerto context list --names 2> /dev/null)'";
  }
  std::string line = "complete -c concerto" + at;
  if (option.is_word) {
    if (values.empty()) return;
    line += values;
  } else {
    for (const std::string& name : option.names) {
      line += name.substr(0, 2) == "--" ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    if (option.has_value) line += names_files(option) ? " -r -F" : " -x" + values;
  }
  out += line + " -d " + in_fish(option.help) + "\n";
}

}  // namespace

std::string bash_completion(const VerbPage& program) {
  std::string out =
      "# Completion of concerto for bash, made by: concerto completion bash\n"
      "_concerto() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} at='' wants=0 word='' option='' words='' i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=${COMP_WORDS[i]}\n"
      "    if [[ $word == '=' ]]; then continue; fi\n"
      "    if ((wants)); then wants=0; continue; fi\n"
      "    option=$word\n"
      "    case \"$at|$word\" in\n";
  out += walking_cases(program);
  out +=
      "    esac\n"
      "  done\n"
      "  if [[ $cur == '=' ]]; then cur=''; fi\n"
      "  if ((wants)); then\n"
      "    case \"$at|$option\" in\n";
  out += value_cases(program, bash_value);
  out +=
      "    esac\n"
      "    return 0\n"
      "  fi\n"
      "  case \"$at\" in\n";
  each_page(program, [&out](const VerbPage& page) {
    out += "    " + in_shell(page.path) + ") words=" + in_shell(words_in_line(words_of(page)));
    if (has_context_word(page)) out += "\" $(concerto context list --names 2> /dev/null)\"";
    out += " ;;\n";
  });
  out +=
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
      "}\n"
      "complete -F _concerto concerto\n";
  return out;
}

std::string zsh_completion(const VerbPage& program) {
  std::string out =
      "#compdef concerto\n"
      "# Completion of concerto for zsh, made by: concerto completion zsh\n"
      "_concerto() {\n"
      "  local at='' word='' option=''\n"
      "  local -i i wants=0\n"
      "  local -a verbs options\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    word=${words[i]}\n"
      "    if ((wants)); then wants=0; continue; fi\n"
      "    option=$word\n"
      "    case \"$at|$word\" in\n";
  out += walking_cases(program);
  out +=
      "    esac\n"
      "  done\n"
      "  if ((wants)); then\n"
      "    case \"$at|$option\" in\n";
  out += value_cases(program, zsh_value);
  out +=
      "    esac\n"
      "    return 0\n"
      "  fi\n"
      "  case \"$at\" in\n";
  each_page(program, [&out](const VerbPage& page) {
    out += "    " + in_shell(page.path) + ")\n      verbs=(";
    for (const VerbPage& part : page.parts) {
      out += "\n        " + described(std::string(part.name()), part.help);
    }
    for (const OptionPage& option : page.options) {
      if (!option.is_word) continue;
      for (const std::string& choice : option.choices) out += "\n        " + in_shell(choice);
    }
    if (has_context_word(page)) {
      out += "\n        ${(f)\"$(concerto context list --names 2> /dev/null)\"}";
    }
    out += ")\n      options=(";
    for (const OptionPage& option : page.options) {
      if (option.is_word) continue;
      for (const std::string& name : option.names) {
        out += "\n        " + described(name, option.help);
      }
    }
    out += ") ;;\n";
  });
  out +=
      "  esac\n"
      "  if (($#verbs)); then _describe -t verbs verb verbs; fi\n"
      "  _describe -o -t options option options\n"
      "}\n"
      "if [[ $funcstack[1] == _concerto ]]; then _concerto \"$@\"; else compdef _concerto "
      "concerto; fi\n";
  return out;
}

std::string fish_completion(const VerbPage& program) {
  std::string out =
      "# Completion of concerto for fish, made by: concerto completion fish\n"
      "function __concerto_at\n"
      "    set -l at ''\n"
      "    set -l wants 0\n"
      "    set -l tokens (commandline -opc)\n"
      "    set -e tokens[1]\n"
      "    for word in $tokens\n"
      "        if test $wants = 1\n"
      "            set wants 0\n"
      "            continue\n"
      "        end\n"
      "        switch \"$at|$word\"\n";
  each_page(program, [&out](const VerbPage& page) {
    for (const VerbPage& part : page.parts) {
      out += "            case " + in_shell(page.path + "|" + std::string(part.name())) +
             "\n                set at " + in_shell(part.path) + "\n";
    }
    for (const OptionPage& option : page.options) {
      if (option.is_word || !option.has_value) continue;
      out +=
          "            case " + patterns_of(page, option, ' ') + "\n                set wants 1\n";
    }
  });
  out +=
      "        end\n"
      "    end\n"
      "    test \"$at\" = \"$argv[1]\"\n"
      "end\n"
      "complete -c concerto -f\n";
  each_page(program, [&out](const VerbPage& page) {
    for (const VerbPage& part : page.parts) {
      out += "complete -c concerto -n \"__concerto_at '" + page.path + "'\" -a " +
             in_shell(part.name()) + " -d " + quoted(part.help, "\\'") + "\n";
    }
    for (const OptionPage& option : page.options) append_fish_option(out, page, option);
  });
  return out;
}

}  // namespace concerto::tools
