#pragma once

#include <string>

#include <concerto/base/error.hpp>

namespace concerto::tools {

/// Why a verb did not do its work. Each value has an exit code in verbs.hpp.
enum class VerbErrc {
  failed = 1,      ///< it began, and did not come to a good end, or nobody knows whether it did
  usage,           ///< the command line, a context or a file that they name is wrong
  refused,         ///< the coordinator, or this program, does not do it; nothing was changed
  not_found,       ///< what the command line names is not there
  unreachable,     ///< the coordinator cannot be asked now; nothing was changed
  no_coordinator,  ///< something else answers at its address; nothing was changed there
  no_route,        ///< the coordinator is a version that does not have this; nothing was changed
};

const boost::system::error_category& verb_category() noexcept;
boost::system::error_code make_error_code(VerbErrc code) noexcept;

inline Error make_error(VerbErrc code, std::string detail) {
  return Error{make_error_code(code), std::move(detail)};
}

/// The exit code of a process that ends with this error.
int exit_code_of(const Error& error) noexcept;

/// Writes the error to stderr, as one line, and returns its exit code.
int tell(const Error& error);

}  // namespace concerto::tools

template <>
struct boost::system::is_error_code_enum<concerto::tools::VerbErrc> : std::true_type {};
