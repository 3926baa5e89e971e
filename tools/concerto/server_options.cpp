#include "server_options.hpp"

#include <map>

#include <CLI/CLI.hpp>

#include <concerto/transport/http_message.hpp>
#include <concerto/transport/url.hpp>

#include "verb_error.hpp"

namespace concerto::tools {
namespace {

constexpr std::string_view default_server = "http://localhost:36789";
constexpr std::size_t token_bytes_max = 16 << 10;

Error bad_setting(std::string what) {
  return make_error(VerbErrc::usage, std::move(what));
}

/// A token as it may stand in a header: without the line end of its file.
Result<std::string> clean_token(std::string_view text, const std::string& source) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  if (text.empty()) return bad_setting("there is no token in " + source);
  for (const char c : text) {
    if (c <= ' ' || c > '~') return bad_setting("what " + source + " has is no token");
  }
  return std::string(text);
}

struct Sources {
  std::string file;
  std::string variable;
};

/// Reads the token that the options name, else the context, else the environment.
Result<> choose_token(ServerPlace& place, const Context& given, const Context& context,
                      const std::function<std::string(const char*)>& variable) {
  Sources from{given.token_file, given.token_env};
  if (from.file.empty() && from.variable.empty()) from = {context.token_file, context.token_env};
  if (from.file.empty() && from.variable.empty()) {
    from.file = variable("CONCERTO_TOKEN_FILE");
    if (from.file.empty() && !variable("CONCERTO_TOKEN").empty()) from.variable = "CONCERTO_TOKEN";
  }
  if (!from.file.empty()) {
    place.token_source = "the file '" + from.file + "'";
    CONCERTO_TRY(const std::string text, read_private_file(from.file, token_bytes_max));
    CONCERTO_TRY(place.token, clean_token(text, place.token_source));
  } else if (!from.variable.empty()) {
    place.token_source = "the variable " + from.variable;
    CONCERTO_TRY(place.token, clean_token(variable(from.variable.c_str()), place.token_source));
  }
  return ok();
}

Result<std::string> clean_url(std::string url) {
  while (!url.empty() && url.back() == '/') url.pop_back();
  const auto parts = net::parse_url(url);
  if (!parts) return bad_setting("server: " + parts.error().detail);
  if (!parts->userinfo.empty()) {
    return bad_setting(
        "server: a URL here has no user and no password; a token is in a file "
        "(--token-file) or in the environment");
  }
  if (!parts->query.empty() || url.find_first_of("?#") != std::string::npos) {
    return bad_setting("server: '" + url + "' has more than scheme, host, port and path");
  }
  return url;
}

const std::string& first_of(const std::string& given, const std::string& other) {
  return given.empty() ? other : given;
}

}  // namespace

void add_form_option(CLI::App& app, Form& form) {
  static const std::vector<std::pair<std::string, Form>> forms = {
      {"table", Form::table}, {"json", Form::json}, {"yaml", Form::yaml}};
  app.add_option("-o,--output", "How the result is shown")
      ->type_name("")
      ->default_str("table")
      ->check(CLI::IsMember({"table", "json", "yaml"}))
      ->each([&form](const std::string& name) {
        for (const auto& [known, value] : forms) {
          if (known == name) form = value;
        }
      })
      ->group("Output");
}

void add_server_options(CLI::App& app, ServerOptions& options) {
  const std::string group = "Coordinator";
  Context& given = options.given;
  CLI::Option* const server =
      app.add_option("--server", given.server, "The coordinator, as https://dtm.b.org:36789")
          ->type_name("URL")
          ->group(group);
  app.add_option("--context", given.name, "The context that says how it is reached")
      ->type_name("CONTEXT")
      ->excludes(server)
      ->group(group);
  app.add_option("--ca", given.ca, "Certificates that the coordinator's is verified with")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--cert", given.cert, "Certificate to show to the coordinator")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--key", given.key, "The key of --cert")->type_name("FILE")->group(group);
  app.add_option("--server-name", given.server_name,
                 "The name in the coordinator's certificate, if the URL has another one")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--token-file", given.token_file, "File with the token of the caller, mode 0600")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--timeout", options.timeout_s, "Seconds that a request may take")
      ->type_name("SECONDS")
      ->default_str("30")
      ->check(CLI::Range(0.1, 3600.0).description(""))
      ->group(group);
}

Result<ServerPlace> choose_server(const ServerOptions& options, const Contexts& contexts,
                                  const std::function<std::string(const char*)>& variable) {
  const Context& given = options.given;
  std::string url = given.server;
  std::string name = given.name;
  if (url.empty() && name.empty()) url = variable("CONCERTO_SERVER");
  if (url.empty() && name.empty()) name = variable("CONCERTO_CONTEXT");
  if (url.empty() && name.empty()) name = contexts.current;
  Context context;
  if (url.empty() && !name.empty()) {
    const Context* const found = contexts.find(name);
    if (found == nullptr) {
      return make_error(VerbErrc::not_found, "there is no context '" + name + "'");
    }
    context = *found;
    url = context.server;
  }
  if (url.empty()) url = default_server;
  ServerPlace place;
  place.context = context.name;
  CONCERTO_TRY(place.url, clean_url(std::move(url)));
  place.ca = first_of(given.ca, context.ca);
  place.cert = first_of(given.cert, context.cert);
  place.key = first_of(given.key, context.key);
  place.server_name = first_of(given.server_name, context.server_name);
  if (place.cert.empty() != place.key.empty()) {
    return bad_setting("--cert and --key belong together, and one of them is missing");
  }
  const bool is_https = place.url.compare(0, 8, "https://") == 0;
  if (!is_https && !(place.ca + place.cert + place.server_name).empty()) {
    return bad_setting("server: '" + place.url + "' is not https, but there are settings of TLS");
  }
  constexpr double ms_per_s = 1000;
  place.timeout = std::chrono::milliseconds(static_cast<long long>(options.timeout_s * ms_per_s));
  CONCERTO_CHECK(choose_token(place, given, context, variable));
  return place;
}

Result<ServerPlace> choose_server(const ServerOptions& options) {
  Contexts contexts;
  // Without the need of a context, nothing is asked of their file.
  const bool needs_none =
      !options.given.server.empty() ||
      (options.given.name.empty() && !environment_variable("CONCERTO_SERVER").empty());
  if (!needs_none) {
    const Result<std::string> path = contexts_path();
    if (path) {
      CONCERTO_TRY(contexts, load_contexts(*path));
    }
  }
  return choose_server(options, contexts, environment_variable);
}

}  // namespace concerto::tools
