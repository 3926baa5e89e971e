// How long a transaction waits after a pass, and for what.

#include <algorithm>

#include "passes.hpp"

namespace concerto {

using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Until when the transaction rests after a pass that waits or was stopped, if several coordinators
/// share the store.
std::optional<WallTime> Passes::rest_after(const LiveTrans& live, const TransDelta& delta) const {
  if (env_.ownership == nullptr || env_.now() < live.others_until) return std::nullopt;
  // A stop lets others go on at once. Otherwise there may be nothing to do before the timeout.
  const WallTime now = env_.clock.wall_now();
  WallTime next = env_.stopping ? now : now + env_.options.backoff_max;
  if (delta.schedule) next = delta.schedule->time;
  return leases_.rest_until(live, next);
}

/// Whether the intervals begin anew: after a success, and after a request to try now.
bool Passes::begins_anew(const LiveTrans& live) noexcept {
  return live.pass.any_success || live.pass.begun == Pass::Begun::asked_for;
}

/// How long the transaction still waits for its own time. This counts after an error in a pass that
/// began early, because of a target: such passes do not move that time, or it would never come.
/// Zero after any other pass.
nanoseconds Passes::own_wait(const LiveTrans& live, WallTime now) noexcept {
  using Begun = Pass::Begun;
  const Begun begun = live.pass.begun;
  const bool early = begun == Begun::trial || begun == Begun::answered;
  const bool backs_off = *live.pass.interval_kind == IntervalKind::backoff;
  if (!backs_off || !early || begins_anew(live)) return nanoseconds::zero();
  return std::max<nanoseconds>(live.trans.next_cron_time - now, nanoseconds::zero());
}

/// The interval after a pass that ended in waiting.
seconds Passes::next_interval(const LiveTrans& live, seconds base, nanoseconds own_wait) const {
  const bool anew = begins_anew(live);
  const bool keeps = own_wait > nanoseconds::zero();
  return interval_after(keeps ? IntervalKind::keep : *live.pass.interval_kind,
                        anew ? base : live.trans.next_cron_interval, base, env_.options);
}

/// The target that the transaction is to wait for after this pass, empty if it waits for its time
/// alone.
std::string_view Passes::silent_target(const LiveTrans& live) {
  const Pass& pass = live.pass;
  if (!pass.met_error()) return {};
  // The transaction was woken because this target answered, and got no answer from it.
  const std::string& target = pass.worst->target;
  const bool cut_short = pass.begun == Pass::Begun::answered && pass.slot == target;
  return cut_short ? std::string_view{} : std::string_view(target);
}

}  // namespace concerto
