// concerto list

#include <iostream>
#include <memory>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "list_damaged.hpp"
#include "selection.hpp"
#include "table.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct ListOptions {
  ServerOptions server;
  Selection selection;
  Walk walk{100, true, {}};
  bool all = false;
  bool only_gids = false;
  bool damaged = false;
};

Table list_table() {
  return Table({{"GID", false, false},
                {"MODE", false, false},
                {"STATUS", false, false},
                {"AGE", true, false},
                {"AT", false, true},
                {"WHY", false, true}});
}

std::vector<Table::Cell> list_row(const json::object& transaction, WallTime now) {
  const json::object& why = object_member(transaction, "why");
  const json::array& urls = array_member(why, "urls");
  const std::string status = text_member(transaction, "status");
  std::string explanation = text_member(why, "explanation");
  if (explanation == status) explanation.clear();
  return {text_member(transaction, "gid"),
          text_member(transaction, "trans_type"),
          {status, colour_of_status(status)},
          age_of(transaction, now),
          urls.empty() || !urls.front().is_string() ? "" : std::string(urls.front().get_string()),
          explanation};
}

}  // namespace

void tell_rest(const std::string& next, std::size_t shown) {
  if (next.empty()) return;
  std::cerr << "there may be more behind these " << shown << "; --all shows all, and --position '"
            << next << "' goes on" << std::endl;
}

namespace {

int list(const ListOptions& options) {
  const auto selected = query_of(options.selection);
  if (!selected) return tell(selected.error());
  if (options.damaged) {
    if (selected->empty()) {
      const std::size_t limit = options.all ? 0 : options.walk.limit;
      return list_damaged(options.server, {limit, options.walk.position, options.only_gids});
    }
    return tell(
        make_error(VerbErrc::usage,
                   "--damaged: what cannot be read cannot be selected; leave the selection out"));
  }
  const auto server = open_server(options.server);
  if (!server) return tell(server.error());
  Walk how = options.walk;
  if (options.all) how.limit = 0;
  how.explain = how.explain && !options.only_gids;

  const bool shows_progress = options.all && ::isatty(STDERR_FILENO) != 0;
  Progress progress(std::cerr, shows_progress, (*server)->clock());
  if (shows_progress) progress.begin("transactions", 0);
  Table table = list_table();
  DocumentSequence documents(std::cout, options.server.form);
  std::size_t shown = 0;
  const auto show = [&](const json::object& transaction) {
    ++shown;
    if (options.only_gids) {
      std::cout << text_member(transaction, "gid") << '\n';
    } else if (options.server.form == Form::table) {
      table.add(list_row(transaction, (*server)->now()));
    } else {
      documents.add(transaction);
    }
  };
  const auto next = walk(**server, *selected, how, shows_progress ? &progress : nullptr, show);
  if (shows_progress) progress.end();
  if (options.only_gids) {
    std::cout << std::flush;
  } else if (options.server.form != Form::table) {
    if (next || shown > 0) documents.end();
  } else if (table.size() > 0) {
    table.print(std::cout, Terminal::of(STDOUT_FILENO));
  } else if (next) {
    std::cerr << "no transaction" << std::endl;
  }
  if (!next) return tell(next.error());
  tell_rest(*next, shown);
  return 0;
}

}  // namespace

std::function<int()> add_list(CLI::App& app) {
  auto options = std::make_shared<ListOptions>();
  add_selection_options(app, options->selection);
  app.add_option("--limit", options->walk.limit, "How many are shown at most")
      ->type_name("COUNT")
      ->default_str("100")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000'000}).description(""))
      ->group("Output");
  app.add_flag("--all", options->all, "Show all that are selected")->group("Output");
  app.add_option("--position", options->walk.position, "Go on where an earlier list has ended")
      ->type_name("POSITION")
      ->group("Output");
  app.add_flag("--damaged", options->damaged,
               "Show the records that this coordinator could not read or use, and nothing else");
  app.add_flag("--gids", options->only_gids, "Show gids alone, one a line")->group("Output");
  add_form_option(app, options->server.form);
  add_server_options(app, options->server);
  app.footer(
      "The newest are first. AT is the first URL that is called next or has failed.\n"
      "Damaged records are in no list of transactions; each coordinator knows those that it\n"
      "has met.\n"
      "Example: concerto list --stuck --target stock.b.org");
  return [options] { return list(*options); };
}

}  // namespace concerto::tools
