#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/bulk_actions.hpp>

namespace concerto {

/// A job as the key-value part of a store keeps it: JSON. Later versions may add members.
std::string record_of(const BulkJob& job);
/// Error store_damaged.
Result<BulkJob> job_from(std::string_view record);

}  // namespace concerto
