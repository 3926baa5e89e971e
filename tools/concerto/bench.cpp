// concerto bench: runs concerto-load against the coordinator of a context

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <unistd.h>
#include <utility>

#include <CLI/CLI.hpp>

#include <concerto/transport/url.hpp>

#include "server_options.hpp"
#include "verb_error.hpp"
#include "verbs.hpp"

namespace concerto::tools {
namespace {

struct BenchOptions {
  ServerOptions server;
  std::string grpc;
  std::vector<std::string> arguments;
};

/// concerto-load beside this program, else that of PATH.
std::string load_program() {
  std::error_code failed;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", failed);
  const auto beside = own.parent_path() / "concerto-load";
  return !failed && std::filesystem::exists(beside, failed) ? beside.string() : "concerto-load";
}

int bench(const BenchOptions& options) {
  const auto place = choose_server(options.server);
  if (!place) return tell(place.error());
  const auto url = net::parse_url(place->url);
  if (!url) return tell(make_error(VerbErrc::usage, url.error().detail));
  if (!url->path.empty() && url->path != "/") {
    return tell(make_error(
        VerbErrc::usage, "server: concerto-load knows no path, and '" + place->url + "' has one"));
  }
  // The environment, unlike the command line, is not for other users of this machine to see.
  if (!place->token.empty()) ::setenv("CONCERTO_TOKEN", place->token.c_str(), 1);
  std::vector<std::string> words{load_program(), "--http"};
  std::string host(url->host);
  if (url->is_ipv6) host = "[" + host + "]";
  words.push_back(host + ":" + std::string(url->port));
  words.emplace_back("--grpc");
  const int grpc_port = std::atoi(std::string(url->port).c_str()) + 1;
  words.push_back(options.grpc.empty() ? host + ":" + std::to_string(grpc_port) : options.grpc);
  if (url->is_https) words.emplace_back("--tls");
  for (const auto& [option, value] : {std::pair{"--ca", &place->ca},
                                      {"--cert", &place->cert},
                                      {"--key", &place->key},
                                      {"--server-name", &place->server_name}}) {
    if (!url->is_https || value->empty()) continue;
    words.emplace_back(option);
    words.push_back(*value);
  }
  words.insert(words.end(), options.arguments.begin(), options.arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execvp(pointers.front(), pointers.data());
  return tell(make_error(VerbErrc::not_found, "the program concerto-load cannot be run"));
}

}  // namespace

std::function<int()> add_bench(CLI::App& app) {
  auto options = std::make_shared<BenchOptions>();
  app.add_option("--grpc", options->grpc,
                 "The coordinator's gRPC port; by default the one behind its HTTP port")
      ->type_name("HOST:PORT");
  app.add_option("arguments", options->arguments,
                 "What concerto-load is told (behind --), as --seconds 5")
      ->type_name("ARGUMENT");
  add_server_options(app, options->server);
  app.footer(
      "It puts load on the coordinator and leaves transactions behind: not for production.\n"
      "Example: concerto bench -- --mode tcc --seconds 5\n"
      "The exit code is that of concerto-load: 0 passed, 1 failed.");
  return [options] { return bench(*options); };
}

}  // namespace concerto::tools
