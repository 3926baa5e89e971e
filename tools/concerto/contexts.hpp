#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/error.hpp>

namespace concerto::tools {

/// How one coordinator is reached. Empty texts are not set. A context has no secret itself: it
/// names the file or the variable of the environment that has the token.
struct Context {
  std::string name;
  std::string server;       ///< `https://dtm.b.org:36789`
  std::string ca;           ///< file with the certificates that the server's is verified with
  std::string cert;         ///< file with the certificate that is shown to the server
  std::string key;          ///< file with its key
  std::string server_name;  ///< the name in the server's certificate, if the URL has another one
  std::string token_file;
  std::string token_env;

  bool operator==(const Context&) const = default;
};

/// The contexts of an operator: a YAML file that nobody else may read or write.
struct Contexts {
  std::string current;  ///< empty: none
  std::vector<Context> all;

  /// Null if there is none with this name.
  const Context* find(std::string_view name) const noexcept;
};

/// Where the contexts are: `CONCERTO_CONFIG`, or `concerto/config.yml` in `XDG_CONFIG_HOME` or
/// `~/.config`. An error if none of the variables is set.
Result<std::string> contexts_path();

/// Reads contexts from YAML. The error names what is wrong.
Result<Contexts> parse_contexts(const std::string& yaml);

std::string to_yaml(const Contexts& contexts);

/// No file, no contexts. Errors: the file may be read or changed by others, or has a mistake.
Result<Contexts> load_contexts(const std::string& path);

/// Replaces the file, with the mode 0600. Its directory is made if it is missing.
Result<> save_contexts(const Contexts& contexts, const std::string& path);

/// Reads a file that has a secret, or decides who gets one: a regular file of this user (or root),
/// which neither group nor others may use. At most `bytes_max`. The error names file and mode.
Result<std::string> read_private_file(const std::string& path, std::size_t bytes_max);

/// A variable of the environment; empty if it is not set.
std::string environment_variable(const char* name);

}  // namespace concerto::tools
