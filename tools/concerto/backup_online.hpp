#pragma once

#include <string>

#include "server.hpp"

namespace concerto::tools {

/// A backup that a running coordinator is asked for, in its Backup.Directory.
struct OnlineBackup {
  ServerOptions server;
  std::string name;  ///< empty: the time
  std::string base;  ///< empty or `latest`: the newest one, if it fits
  bool full = false;
  bool verify_base = false;
  std::string reason;  ///< for the audit log
};

/// Returns when the backup is complete, or has failed; the exit code.
int backup_of_coordinator(const OnlineBackup& options);

}  // namespace concerto::tools
