#pragma once

#include <memory>
#include <string>

#include "listing.hpp"

namespace concerto::persist {

/// A page of transactions of any status, from the log.
Result<std::unique_ptr<Listing>> begin_log_listing(const StoreReader& reader, StoreCore& core,
                                                   ListFilter filter, const std::string& position,
                                                   std::size_t limit);

}  // namespace concerto::persist
