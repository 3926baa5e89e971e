#pragma once

#include <string>
#include <vector>

#include "store_listing.hpp"

namespace concerto::persist {

/// Takes from all users but the owner what they may do with a file or directory. False when the
/// system does not allow that, as for a file of somebody else's.
bool make_private(const std::string& path) noexcept;

/// The same for a store's directory and everything in it that is the store's: older versions left
/// it readable. Returns the files that others may still use.
std::vector<std::string> make_store_private(const std::string& store, const StoreListing& listing);

}  // namespace concerto::persist
