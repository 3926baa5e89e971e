#pragma once

#include <concerto/base/error.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto::persist {

/// Checks numbers and times of a transaction that others may have written, so that the engine can
/// count with them. A next_cron_interval below zero becomes zero. Error store_damaged.
Result<> check_stored(Transaction& trans);

}  // namespace concerto::persist
