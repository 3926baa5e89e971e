#pragma once

#include <iostream>
#include <string>

#include <concerto/base/error.hpp>
#include <concerto/base/utf8.hpp>
#include <concerto/persist/store_backup.hpp>

#include "progress.hpp"
#include "store_choice.hpp"
#include "verbs.hpp"

namespace concerto::tools {

/// The directory of an embedded store that a command line names, in any form of `choose_store`, or
/// as the directory itself. Errors: invalid_request.
Result<std::string> embedded_store_path(const std::string& text);

/// Writes an error for people. Returns the exit code: `refused` if nothing was changed.
int tell_error(const Error& error);

/// Shows on `progress` how far a piece of work with groups is.
persist::WorkProgress shown_on(Progress& progress, std::string what);

/// What a check has found, for people.
std::string to_text(const persist::CheckReport& report);

}  // namespace concerto::tools
