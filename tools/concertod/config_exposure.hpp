#pragma once

#include <string>
#include <string_view>

#include "config.hpp"

namespace concerto::tools {

/// Warns of files that everybody on this machine may change although they say who is let in, and
/// of private keys that everybody may read.
void warn_of_open_files(const Config& config, Findings& findings);

/// Warns of a password that goes over the network in plain text. `hosts` is a comma list of hosts
/// with or without ports.
void warn_of_plain_password(std::string_view key, std::string_view hosts, Findings& findings);

/// What only a start finds otherwise: mistakes in the files of callers and keys, and a directory
/// in which the audit log cannot be made. For --check-config.
void check_files(const Config& config, Findings& findings);

}  // namespace concerto::tools
