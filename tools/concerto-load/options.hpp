#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "purposes.hpp"

namespace concerto::load {

/// How transactions are submitted, and how the load's own branches are called.
enum class Wire { grpc, http };

enum class LoadMode {
  saga,      ///< one submit
  msg,       ///< one submit
  msg_2p,    ///< prepare, then submit
  tcc,       ///< prepare, register the branches, submit
  xa,        ///< as tcc, with one URL for each branch
  workflow,  ///< prepare, record the steps, submit the end
};

/// Which acknowledged transactions are queried at the end.
enum class QueriedAtEnd { all, sample, none };

std::string_view to_string(Wire wire) noexcept;
std::string_view to_string(LoadMode mode) noexcept;

/// A host and a port.
struct Authority {
  std::string host;
  std::uint16_t port = 0;

  /// `host:port` as in a URL: an IPv6 address is in brackets.
  std::string text() const;
};

/// The URLs of one branch that the user serves.
struct BranchUrls {
  std::string forward;   ///< action, confirm, or the one URL of xa
  std::string backward;  ///< compensate, cancel; empty where the mode has none
};

/// How a coordinator lets the load in.
struct Access {
  bool uses_tls = false;
  std::string ca;           ///< certificates of authorities; empty: the system's
  std::string certificate;  ///< to show to the coordinator
  std::string key;          ///< of that certificate
  std::string server_name;  ///< in the coordinator's certificate, if the address has another one
  std::string token;        ///< of the caller; empty: none is sent
};

inline constexpr double seconds_max = 86'400;
inline constexpr double rate_max = 1'000'000;
inline constexpr std::size_t in_flight_max = 100'000;
inline constexpr std::size_t gid_prefix_chars_max = 64;
inline constexpr double default_seconds = 10;

/// What the command line asks for.
struct LoadOptions {
  LoadMode mode = LoadMode::saga;
  Wire wire = Wire::grpc;
  Authority grpc{"127.0.0.1", 36790};
  Authority http{"127.0.0.1", 36789};
  Access access;
  bool wait = true;  ///< submit with wait_result

  /// `https://host:port` or the same without TLS.
  std::string http_root() const;

  std::size_t in_flight = 128;
  double rate = 0;             ///< transactions that begin in a second; 0: in_flight decides
  double warm_up_seconds = 1;  ///< time before the measurement
  double seconds = default_seconds;
  std::uint64_t transactions = 0;  ///< measured before the load ends; 0: no limit
  std::string gid_prefix;          ///< must be new to the coordinator; empty: random

  std::string listen = "127.0.0.1";          ///< the address of the load's own branches
  std::string branch_certificate;            ///< file; empty: they speak plain text
  std::string branch_key;                    ///< of that certificate
  std::chrono::milliseconds branch_delay{};  ///< the time before they answer
  std::vector<BranchUrls> branches;          ///< the user's; empty: the load's own two
  std::string payload;                       ///< of each branch
  Purposes purposes;                         ///< transactions that fail on purpose

  std::uint64_t failures_max = 0;  ///< with more failures the load ends and fails
  QueriedAtEnd check = QueriedAtEnd::sample;
  double drain_seconds = 30;  ///< for transactions that were not waited for

  int server_process = 0;      ///< its CPU and memory are measured; 0: none
  std::string data_directory;  ///< of the server; empty: writes to its device are not counted
  bool progress = false;
  std::string hgrm_file;
  std::string json_file;  ///< `-`: stdout, instead of the summary
  std::string html_file;
};

struct LoadCommandLine {
  LoadOptions options;
  /// Set if the process ends at once: after the help, the version or a mistake.
  std::optional<int> exit_code;
  std::string for_stdout;
  std::string for_stderr;
};

inline constexpr int exit_usage = 2;

/// Reads the arguments after the program's name. An error names the option that is wrong.
LoadCommandLine parse_command_line(std::vector<std::string> arguments);

}  // namespace concerto::load
