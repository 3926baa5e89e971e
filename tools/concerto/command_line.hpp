#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <concerto/base/error.hpp>

namespace CLI {
class App;
}

namespace concerto::tools {

/// The verbs of a command line, each with the function that runs it.
using KnownVerbs = std::vector<std::pair<const CLI::App*, std::function<int()>>>;

/// Adds all verbs. Texts that are empty or blank, as of an empty variable of a script, are wrong
/// for every option and word that is not one of the few where they mean something.
KnownVerbs add_verbs(CLI::App& app);

/// The command line (with the program first) in the order that the parser needs: the options of the
/// coordinator, and -o, may stand before the verb, whose options they are. Error usage: `--name=`
/// without a value, for which the parser would take the next word; a word in the place of a verb
/// that is none, of which the parser says only that a verb is missing.
Result<std::vector<std::string>> in_order(const CLI::App& app, std::vector<std::string> arguments);

}  // namespace concerto::tools
