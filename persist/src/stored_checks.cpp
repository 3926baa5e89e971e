#include "stored_checks.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include <concerto/engine/error.hpp>

namespace concerto::persist {
namespace {

constexpr std::int64_t amount_max = std::numeric_limits<std::int32_t>::max();

}  // namespace

Result<> check_stored(Transaction& trans) {
  const TransOptions& options = trans.options;
  const struct {
    const char* name;
    std::int64_t value;
  } amounts[] = {{"timeout_to_fail", options.timeout_to_fail.count()},
                 {"request_timeout", options.request_timeout.count()},
                 {"retry_interval", options.retry_interval.count()},
                 {"retry_limit", options.retry_limit},
                 {"retry_count", trans.retry_count}};
  for (const auto& amount : amounts) {
    if (amount.value >= 0 && amount.value <= amount_max) continue;
    return make_error(EngineErrc::store_damaged, "options: " + std::string(amount.name) + " is " +
                                                     std::to_string(amount.value));
  }
  const std::int64_t interval = trans.next_cron_interval.count();
  trans.next_cron_interval =
      std::chrono::seconds{std::clamp<std::int64_t>(interval, 0, amount_max)};
  // A timeout counts from that time: without it, an unfinished transaction would be rolled back.
  if (trans.create_time == WallTime{} && !is_final(trans.status)) {
    return make_error(EngineErrc::store_damaged, "create_time is no time");
  }
  return ok();
}

}  // namespace concerto::persist
