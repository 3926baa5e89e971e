#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <concerto/base/error.hpp>

#include "contexts.hpp"
#include "documents.hpp"

namespace CLI {
class App;
}

namespace concerto::tools {

/// What every verb that asks a coordinator has on its command line.
struct ServerOptions {
  Context given;          ///< `name` is that of --context, the rest is in place of its parts
  double timeout_s = 30;  ///< of each request
  Form form = Form::table;
};

void add_server_options(CLI::App& app, ServerOptions& options);

/// `-o`, for verbs that show something.
void add_form_option(CLI::App& app, Form& form);

/// Where the coordinator is, and who asks it.
struct ServerPlace {
  std::string context;  ///< the name of the context; empty without one
  std::string url;      ///< without a slash at its end
  std::string ca, cert, key, server_name;
  std::string token;
  std::string token_source;  ///< for people: where the token comes from
  std::chrono::milliseconds timeout{30'000};
};

/// Puts options, context and environment together. `variable` reads the environment.
///
/// The coordinator is that of --server or of --context, else of CONCERTO_SERVER, of
/// CONCERTO_CONTEXT, of the current context, or else http://localhost:36789. The token of a context
/// is sent to the coordinator of this context alone.
Result<ServerPlace> choose_server(const ServerOptions& options, const Contexts& contexts,
                                  const std::function<std::string(const char*)>& variable);

/// The same, with the file of contexts and the environment of this process.
Result<ServerPlace> choose_server(const ServerOptions& options);

}  // namespace concerto::tools
