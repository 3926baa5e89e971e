#include "options.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <tuple>
#include <utility>

#include <CLI/CLI.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>

namespace concerto::load {
namespace {

constexpr std::array<std::string_view, 2> wire_names = {"grpc", "http"};
constexpr std::array<std::string_view, 6> mode_names = {"saga", "msg", "msg-2p",
                                                        "tcc",  "xa",  "workflow"};
constexpr std::array<std::string_view, 3> check_names = {"all", "sample", "none"};

/// The words of the command line, before `finish` turns them into options.
struct Words {
  std::string mode = "saga";
  std::string wire = "grpc";
  std::string check = "sample";
  std::string grpc = "127.0.0.1:36790";
  std::string http = "127.0.0.1:36789";
  std::string token_file;
  std::string payload_file;
  std::size_t payload_bytes = 100;
  std::size_t branch_delay_ms = 0;
  std::vector<std::string> actions;
  std::vector<std::string> compensates;
  bool no_wait = false;
  bool version = false;
};

template <class Names>
std::vector<std::string> texts(const Names& names) {
  return {names.begin(), names.end()};
}

template <class Enum, class Names>
Enum value_of(const Names& names, const std::string& word) {
  return static_cast<Enum>(std::ranges::find(names, word) - names.begin());
}

Authority parse_host_port(const char* option, const std::string& text) {
  const auto parsed = boost::urls::parse_authority(text);
  Authority out;
  if (parsed && !parsed->has_userinfo()) {
    const std::string_view port = parsed->port();
    const auto read = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (read.ec == std::errc{}) out.host = parsed->host_address();
  }
  const bool right = !out.host.empty() && out.port != 0;
  if (!right) throw CLI::ValidationError(option, "'" + text + "' is not host:port");
  return out;
}

void check_listen(const std::string& text) {
  boost::system::error_code failed;
  boost::asio::ip::make_address(text, failed);
  if (failed) throw CLI::ValidationError("--listen", "'" + text + "' is no IP address");
}

std::string read_file(const char* option, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw CLI::ValidationError(option, "'" + path + "' cannot be read");
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void add_load_options(CLI::App& app, LoadOptions& options, Words& words) {
  app.add_option("--mode", words.mode, "mode of the transactions")
      ->check(CLI::IsMember(texts(mode_names)));
  app.add_option("--wire", words.wire, "protocol of submits and branch calls")
      ->check(CLI::IsMember(texts(wire_names)));
  app.add_option("--grpc", words.grpc, "host:port of the coordinator for gRPC");
  app.add_option("--http", words.http, "host:port of the coordinator for HTTP");
  app.add_flag("--no-wait", words.no_wait, "submit without wait_result");
  app.add_option("--in-flight", options.in_flight, "transactions that run at one time")
      ->check(CLI::Range(std::size_t{1}, in_flight_max));
  app.add_option("--rate", options.rate, "transactions that begin per second, however many run")
      ->check(CLI::Range(0.001, rate_max))
      ->default_str("");
  app.add_option("--warm-up", options.warm_up_seconds, "seconds of load before measuring begins")
      ->check(CLI::Range(0.0, seconds_max));
  app.add_option("--seconds", options.seconds,
                 "seconds of load that are measured; unlimited with --transactions alone")
      ->check(CLI::Range(0.001, seconds_max));
  app.add_option("--transactions", options.transactions,
                 "transactions that are measured before the load ends")
      ->check(CLI::PositiveNumber)
      ->default_str("");
  app.add_option("--gid-prefix", options.gid_prefix,
                 "beginning of all gids; the coordinator must not have seen it before");
}

void add_access_options(CLI::App& app, Access& access, Words& words) {
  app.add_flag("--tls", access.uses_tls, "reach the coordinator over TLS");
  app.add_option("--ca", access.ca,
                 "file with the certificates that the coordinator's has to "
                 "be signed by, in place of the system's");
  app.add_option("--cert", access.certificate, "file with a certificate to show to it");
  app.add_option("--key", access.key, "file with the key of --cert");
  app.add_option("--server-name", access.server_name,
                 "name in the coordinator's certificate, if its address is another one");
  app.add_option("--token-file", words.token_file,
                 "file with the token of a caller; else the environment's CONCERTO_TOKEN, if set");
}

/// A token as it may stand in a header: without the line end of its file.
std::string clean_token(std::string text, const std::string& source) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const bool is_token =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
  if (!is_token) throw CLI::ValidationError(source, "there is no token in it");
  return text;
}

void finish_access(Access& access, const Words& words) {
  const bool has_part = !access.ca.empty() || !access.certificate.empty() || !access.key.empty() ||
                        !access.server_name.empty();
  if (has_part && !access.uses_tls) {
    throw CLI::ValidationError("--ca, --cert, --key, --server-name", "they need --tls");
  }
  if (access.certificate.empty() != access.key.empty()) {
    throw CLI::ValidationError("--cert, --key", "they go together");
  }
  const char* const of_environment = std::getenv("CONCERTO_TOKEN");
  if (!words.token_file.empty()) {
    access.token = clean_token(read_file("--token-file", words.token_file), "--token-file");
  } else if (of_environment != nullptr && *of_environment != '\0') {
    access.token = clean_token(of_environment, "CONCERTO_TOKEN");
  }
}

void add_branch_options(CLI::App& app, LoadOptions& options, Words& words) {
  app.add_option("--branch-delay", words.branch_delay_ms,
                 "milliseconds until the load's branches answer")
      ->check(CLI::Range(std::size_t{0}, std::size_t{3'600'000}));
  app.add_option("--listen", options.listen, "IP address at which the load serves its branches");
  auto* const certificate =
      app.add_option("--branch-cert", options.branch_certificate,
                     "file with a certificate: the load serves its branches over TLS");
  certificate->needs(
      app.add_option("--branch-key", options.branch_key, "file with the key of --branch-cert")
          ->needs(certificate));
  app.add_option("--action", words.actions,
                 "URL of your own branch: action, confirm, or xa's url; once per branch")
      ->allow_extra_args(false)
      ->default_str("")
      ->excludes(certificate);
  app.add_option("--compensate", words.compensates,
                 "URL that rolls the branch back: compensate or cancel; once per branch")
      ->allow_extra_args(false)
      ->default_str("");
  app.add_option("--fail-share", options.purposes.fail_share,
                 "share of the transactions that fail on purpose and roll back, from 0 to 1")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--error-share", options.purposes.error_share,
                 "share of the transactions in which a branch has an error on purpose at first")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--payload-bytes", words.payload_bytes,
                 "size of the payload that each branch gets")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 20));
  app.add_option("--payload-file", words.payload_file,
                 "file with the payload that each branch gets instead");
}

void add_report_options(CLI::App& app, LoadOptions& options, Words& words) {
  app.add_option("--max-failures", options.failures_max,
                 "with more failures the load ends and exits with 1");
  app.add_option(
         "--check", words.check,
         "which transactions are queried at the end; sample: 1,000 if there are more than 10,000")
      ->check(CLI::IsMember(texts(check_names)));
  app.add_option("--drain", options.drain_seconds,
                 "seconds that transactions have to end which were submitted without wait")
      ->check(CLI::Range(0.0, seconds_max));
  app.add_option("--server-process", options.server_process,
                 "process id of the coordinator: its CPU and memory are measured")
      ->check(CLI::PositiveNumber)
      ->default_str("");
  app.add_option("--data-directory", options.data_directory,
                 "data directory of the coordinator: writes to its device are counted");
  app.add_flag("--progress", options.progress,
               "show the progress even if stderr is not a terminal");
  app.add_option("--hgrm", options.hgrm_file, "file for latencies as HdrHistogram prints them");
  app.add_option("--json", options.json_file, "file for the results; - is stdout");
  app.add_option("--html", options.html_file, "file for a page with plots");
  app.add_flag("--version", words.version, "print the version");
}

void check_branches(const LoadOptions& options, const Words& words) {
  const auto require = [](bool holds, const char* option, const std::string& text) {
    if (!holds) throw CLI::ValidationError(option, text);
  };
  const bool has_way_back = options.mode == LoadMode::saga || options.mode == LoadMode::tcc;
  const std::string mode = "with --mode " + words.mode;
  require(words.actions.empty() || options.mode != LoadMode::workflow, "--action",
          mode + " nothing is called");
  require(words.compensates.empty() || has_way_back, "--compensate",
          mode + " there is no such branch");
  require(!has_way_back || words.compensates.size() == words.actions.size(), "--compensate",
          mode + " as many are needed as there are of --action");
  if (options.wire != Wire::http) return;
  for (const auto& [option, urls] :
       {std::pair{"--action", &words.actions}, std::pair{"--compensate", &words.compensates}}) {
    for (const std::string& url : *urls) {
      require(url.starts_with("http://") || url.starts_with("https://"), option,
              "'" + url + "' is no HTTP URL, as --wire http needs");
    }
  }
}

void check_purposes(const LoadOptions& options, const Words& words) {
  const bool rolls_back = options.mode == LoadMode::saga || options.mode == LoadMode::tcc ||
                          options.mode == LoadMode::xa;
  const std::string mode = "with --mode " + words.mode;
  for (const auto& [option, share, fits, reason] :
       {std::tuple{"--fail-share", options.purposes.fail_share, rolls_back, " nothing rolls back"},
        std::tuple{"--error-share", options.purposes.error_share,
                   options.mode != LoadMode::workflow, " nothing is called"}}) {
    if (share == 0) continue;
    if (!fits) throw CLI::ValidationError(option, mode + reason);
    if (!words.actions.empty()) {
      throw CLI::ValidationError(option, "with --action: branches of your own fail as they do");
    }
  }
}

void finish(LoadOptions& options, const Words& words, const CLI::App& app) {
  options.mode = value_of<LoadMode>(mode_names, words.mode);
  options.wire = value_of<Wire>(wire_names, words.wire);
  options.check = value_of<QueriedAtEnd>(check_names, words.check);
  options.grpc = parse_host_port("--grpc", words.grpc);
  options.http = parse_host_port("--http", words.http);
  finish_access(options.access, words);
  check_listen(options.listen);
  options.wait = !words.no_wait;
  options.branch_delay = std::chrono::milliseconds(words.branch_delay_ms);
  if (words.no_wait && options.mode == LoadMode::workflow) {
    throw CLI::ValidationError("--no-wait", "a workflow has ended when it is submitted");
  }
  if (options.transactions > 0 && app.count("--seconds") == 0) options.seconds = seconds_max;
  const bool plain = std::ranges::all_of(options.gid_prefix, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (!plain || options.gid_prefix.size() > gid_prefix_chars_max) {
    throw CLI::ValidationError("--gid-prefix", "at most 64 letters, digits, '-', '_' and '.'");
  }
  options.payload = words.payload_file.empty() ? std::string(words.payload_bytes, 'p')
                                               : read_file("--payload-file", words.payload_file);
  check_branches(options, words);
  check_purposes(options, words);
  for (std::size_t i = 0; i < words.actions.size(); ++i) {
    options.branches.push_back(
        {words.actions[i], i < words.compensates.size() ? words.compensates[i] : std::string()});
  }
}

}  // namespace

std::string_view to_string(Wire wire) noexcept {
  return wire_names[static_cast<std::size_t>(wire)];
}

std::string_view to_string(LoadMode mode) noexcept {
  return mode_names[static_cast<std::size_t>(mode)];
}

std::string Authority::text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string LoadOptions::http_root() const {
  const Authority named{access.server_name.empty() ? http.host : access.server_name, http.port};
  return (access.uses_tls ? "https://" : "http://") + named.text();
}

LoadCommandLine parse_command_line(std::vector<std::string> arguments) {
  LoadCommandLine line;
  Words words;
  CLI::App app("Submits transactions to a running coordinator, measures, and checks how they end",
               "concerto-load");
  app.option_defaults()->always_capture_default();
  add_load_options(app, line.options, words);
  add_access_options(app, line.options.access, words);
  add_branch_options(app, line.options, words);
  add_report_options(app, line.options, words);
  std::ranges::reverse(arguments);  // CLI11 takes the last argument first
  try {
    app.parse(std::move(arguments));
    finish(line.options, words, app);
  } catch (const CLI::CallForHelp&) {
    line.exit_code = 0;
    line.for_stdout = app.help();
  } catch (const CLI::ParseError& error) {
    line.exit_code = exit_usage;
    line.for_stderr = std::string(error.what()) + "\n";
  }
  if (!line.exit_code && words.version) {
    line.exit_code = 0;
    line.for_stdout = "concerto-load " CONCERTO_VERSION "\n";
  }
  return line;
}

}  // namespace concerto::load
