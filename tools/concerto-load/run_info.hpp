#pragma once

#include <string>
#include <vector>

namespace concerto::load {

/// Where, when and how a load was run.
struct RunInfo {
  std::string machine;  ///< `db7: 4 of 8 x AMD EPYC 7B13, 15.6 GiB, Linux 6.1.0-18-amd64`
  std::string date;     ///< of the beginning, `2026-11-30 03:05:42 UTC`
  std::string command;  ///< as a shell reads it, without the secrets in URLs
};

/// What is true now. `arguments`: the whole command line, the program's name included.
RunInfo run_info(const std::vector<std::string>& arguments);

/// A command line as a POSIX shell reads it. `***` stands for secrets in URLs.
std::string shell_text(const std::vector<std::string>& arguments);

}  // namespace concerto::load
