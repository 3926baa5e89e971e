#pragma once

#include <cstdint>
#include <string>

#include "json_members.hpp"
#include "server.hpp"

namespace concerto::tools {

/// Follows a job of the coordinator until it ends, with progress on stderr, and shows its end.
/// `expected`: how many transactions it is about; 0 if that is not known. Returns the exit code:
/// done for all, for some, cancelled or failed. The job does not need this program: it goes on
/// whatever happens here.
int follow_job(Server& server, const json::object& job, std::uint64_t expected, Form form);

/// Writes the errors of single transactions to stderr: the member `errors` of jobs and actions.
void tell_errors(const json::object& of);

/// Shows a job as it is now.
void show_job(const json::object& job, Form form);

}  // namespace concerto::tools
