#pragma once

#include <string>
#include <vector>

#include <concerto/persist/store_factory.hpp>

namespace concerto::persist {

/// The hosts of a list with commas, as Store.Host is one. Blanks around a host do not count.
std::vector<std::string> hosts_of(const std::string& list);

/// Checks what the list of hosts says, for a store whose port is Store.Port. Errors:
/// invalid_request.
Result<> check_hosts(const std::string& list);

/// Whether the text is empty or nothing but blanks.
bool is_blank(const std::string& text) noexcept;

/// Checks that the files of TLS can be read, whether TLS is in use or not: who names a file wants
/// TLS. Errors: invalid_request.
Result<> check_tls_files(const DatabaseSettings& database);

}  // namespace concerto::persist
