#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <concerto/barrier/barrier.hpp>
#include <concerto/base/export.hpp>

struct redisContext;  // hiredis

namespace concerto {

/// Adds `amount`, which may be negative, to the number in `key` under the barrier, in one script.
/// The error `failure` if there is no such key, or if the number would become negative. The
/// barrier's keys are those of DTM's SDK for Go: `<gid>-<branch_id>-<op>-<number>`. They expire
/// after `barrier_expiry`, which must be longer than a transaction may take. In a cluster they must
/// be in the slot of `key`: the gid and `key` have the same {tag}.
///
/// A repeated call is recognised before the amount is looked at, and so is a compensation of
/// something that never happened; the SDK for Go refuses both if the amount is too small.
[[nodiscard]] CONCERTO_EXPORT Result<> redis_check_adjust_amount(
    Barrier& barrier, redisContext* connection, std::string_view key, std::int64_t amount,
    std::chrono::seconds barrier_expiry);

/// Barrier::query_prepared for a msg whose local work is redis_check_adjust_amount.
[[nodiscard]] CONCERTO_EXPORT Result<> redis_query_prepared(const Barrier& barrier,
                                                            redisContext* connection,
                                                            std::chrono::seconds barrier_expiry);

}  // namespace concerto
