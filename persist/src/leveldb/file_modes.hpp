#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include <concerto/engine/error.hpp>

#include "store_listing.hpp"

namespace concerto::persist {

/// Makes a file or directory inaccessible to all users but its owner. False if the system does not
/// allow that, for example because the file belongs to somebody else.
bool make_private(const std::string& path) noexcept;

/// Makes a store's directory private, and the store's files in it: older versions left them
/// readable. Returns the files that others may still use.
std::vector<std::string> make_store_private(const std::string& store, const StoreListing& listing);

/// Refuses a store to root if its identity belongs to another user: that user could not read what
/// root writes, and could not open the store any more. Error: store_unavailable.
Result<> check_owner(const std::string& store, uid_t user);

}  // namespace concerto::persist
