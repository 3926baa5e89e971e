// concerto context list|use|add|remove

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include <concerto/base/utf8.hpp>

#include "server_options.hpp"
#include "table.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t contexts_max = 1'000;

struct ContextOptions {
  Context context;  ///< `name` is that of all verbs
  bool only_names = false;
  bool is_current = false;
  Form form = Form::table;
};

/// Reads the file, lets `change` change the contexts, and writes them.
int change_contexts(const std::function<Result<std::string>(Contexts&)>& change) {
  const auto path = contexts_path();
  if (!path) return tell(path.error());
  auto contexts = load_contexts(*path);
  if (!contexts) return tell(contexts.error());
  const auto words = change(*contexts);
  if (!words) return tell(words.error());
  const auto saved = save_contexts(*contexts, *path);
  if (!saved) return tell(saved.error());
  std::cerr << visible_line(*words) << std::endl;
  return 0;
}

Error no_such_context(const std::string& name) {
  return make_error(VerbErrc::not_found, "there is no context '" + name + "'");
}

json::value document_of(const Contexts& contexts) {
  json::array list;
  for (const Context& context : contexts.all) {
    json::object one{{"name", context.name},
                     {"current", context.name == contexts.current},
                     {"server", context.server}};
    const auto add = [&one](const char* key, const std::string& value) {
      if (!value.empty()) one[key] = value;
    };
    add("ca", context.ca);
    add("cert", context.cert);
    add("key", context.key);
    add("server-name", context.server_name);
    add("token-file", context.token_file);
    add("token-env", context.token_env);
    list.push_back(std::move(one));
  }
  return list;
}

int list_contexts(const ContextOptions& options) {
  const auto path = contexts_path();
  if (!path) return tell(path.error());
  const auto contexts = load_contexts(*path);
  if (!contexts) return tell(contexts.error());
  if (options.only_names) {
    for (const Context& context : contexts->all) std::cout << visible_line(context.name) << '\n';
    std::cout << std::flush;
    return 0;
  }
  if (options.form != Form::table) {
    write_document(std::cout, options.form, document_of(*contexts));
    return 0;
  }
  Table table({{"CURRENT", false, false},
               {"NAME", false, false},
               {"SERVER", false, false},
               {"TOKEN FROM", false, true}});
  for (const Context& context : contexts->all) {
    table.add({context.name == contexts->current ? "*" : " ", context.name, context.server,
               context.token_file.empty() ? context.token_env : context.token_file});
  }
  if (table.size() > 0) {
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  } else {
    std::cerr << "no context; add one with: concerto context add NAME --server URL" << std::endl;
  }
  return 0;
}

int use_context(const ContextOptions& options) {
  return change_contexts([&options](Contexts& contexts) -> Result<std::string> {
    const std::string& name = options.context.name;
    if (contexts.find(name) == nullptr) return no_such_context(name);
    contexts.current = name;
    return "'" + name + "' is the current context";
  });
}

int add_context_named(ContextOptions options) {
  ServerOptions as_context;
  as_context.given = options.context;
  as_context.given.name.clear();
  // Whether it can be used: the token is looked for at once, and not when it is needed.
  const auto place = choose_server(as_context, Contexts{}, environment_variable);
  if (!place) return tell(place.error());
  options.context.server = place->url;
  return change_contexts([&options](Contexts& contexts) -> Result<std::string> {
    const std::string& name = options.context.name;
    if (contexts.find(name) != nullptr) {
      return make_error(VerbErrc::refused,
                        "there is a context '" + name + "' already; remove it first");
    }
    if (contexts.all.size() >= contexts_max) {
      return make_error(VerbErrc::refused, "there are too many contexts");
    }
    contexts.all.push_back(options.context);
    if (options.is_current || contexts.current.empty()) contexts.current = name;
    return "'" + name + "' was added" + (contexts.current == name ? "; it is current" : "");
  });
}

int remove_context(const ContextOptions& options) {
  return change_contexts([&options](Contexts& contexts) -> Result<std::string> {
    const std::string& name = options.context.name;
    if (contexts.find(name) == nullptr) return no_such_context(name);
    std::erase_if(contexts.all, [&name](const Context& one) { return one.name == name; });
    if (contexts.current != name) return "'" + name + "' was removed";
    contexts.current.clear();
    return "'" + name + "' was removed; no context is current now";
  });
}

/// A path as it is found from every directory.
std::string absolute_path(const std::string& path) {
  std::error_code failed;
  const auto absolute = std::filesystem::absolute(path, failed);
  return path.empty() || failed ? path : absolute.lexically_normal().string();
}

void add_connection_options(CLI::App& app, ContextOptions& options) {
  Context& context = options.context;
  app.add_option("--server", context.server, "The coordinator, as https://dtm.b.org:36789")
      ->type_name("URL")
      ->required();
  const auto file = [&app](const char* name, std::string& to, const char* help) {
    app.add_option(name, to, help)->type_name("FILE");
  };
  file("--ca", context.ca, "Certificates that the coordinator's is verified with");
  file("--cert", context.cert, "Certificate to show to the coordinator");
  file("--key", context.key, "The key of --cert");
  app.add_option("--server-name", context.server_name,
                 "The name in the coordinator's certificate, if the URL has another one")
      ->type_name("NAME");
  CLI::Option* const token_file = app.add_option("--token-file", context.token_file,
                                                 "File with the token of the caller, mode 0600")
                                      ->type_name("FILE");
  app.add_option("--token-env", context.token_env, "Variable of the environment with the token")
      ->type_name("VARIABLE")
      ->excludes(token_file);
  app.add_flag("--use", options.is_current, "Make it the current context");
}

}  // namespace

std::function<int()> add_context(CLI::App& app) {
  auto options = std::make_shared<ContextOptions>();
  app.require_subcommand(1);
  const auto name = [&options](CLI::App& of) {
    of.add_option("name", options->context.name, "The context")->type_name("CONTEXT")->required();
  };
  CLI::App* const list = app.add_subcommand("list", "Show the contexts");
  list->add_flag("--names", options->only_names, "Show names alone, one a line");
  add_form_option(*list, options->form);
  CLI::App* const use = app.add_subcommand("use", "Make a context the current one");
  name(*use);
  CLI::App* const add = app.add_subcommand("add", "Add a context");
  add->add_option("name", options->context.name, "What it is called")
      ->type_name("NAME")
      ->required();
  add_connection_options(*add, *options);
  CLI::App* const remove = app.add_subcommand("remove", "Remove a context");
  name(*remove);
  app.footer(
      "Contexts are in $XDG_CONFIG_HOME/concerto/config.yml (or ~/.config, or CONCERTO_CONFIG). "
      "The\n"
      "file has to have the mode 0600, and it has no token: it says where the token is.");
  return [options, use, add, remove] {
    if (use->parsed()) return use_context(*options);
    if (remove->parsed()) return remove_context(*options);
    if (!add->parsed()) return list_contexts(*options);
    ContextOptions with_paths = *options;
    Context& context = with_paths.context;
    for (std::string* const path :
         {&context.ca, &context.cert, &context.key, &context.token_file}) {
      *path = absolute_path(*path);
    }
    return add_context_named(std::move(with_paths));
  };
}

}  // namespace concerto::tools
