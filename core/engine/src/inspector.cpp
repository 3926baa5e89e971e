#include "inspector.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>
#include <concerto/base/counted.hpp>
#include <concerto/base/masked_url.hpp>

#include "paused.hpp"
#include "retry.hpp"
#include "stored_rows.hpp"
#include "trouble.hpp"

namespace concerto {
namespace {

std::string seconds_text(std::chrono::seconds time) {
  return counted(static_cast<std::uint64_t>(time.count()), "second");
}

std::string call_text(const Branch& branch) {
  return "branch " + branch.branch_id.str() + " " + branch.op + " at " + masked_url(branch.url);
}

/// The calls that run now; only a few, so that they fit into one line.
std::string explain_running(const LiveTrans& live) {
  constexpr std::size_t shown_max = 3;
  std::string text;
  std::size_t running = live.calls.query == RunState::running ? 1 : 0;
  if (running > 0) text = "its application at " + masked_url(live.trans.query_prepared);
  for (std::size_t i = 0; i < live.calls.runs.size(); ++i) {
    if (live.calls.runs[i] != RunState::running || ++running > shown_max) continue;
    if (!text.empty()) text += ", ";
    text += call_text(live.trans.branches[i]);
  }
  if (running == 0) return "its next step is being stored";
  if (running > shown_max) text += " and " + std::to_string(running - shown_max) + " more";
  return "calls " + text;
}

std::string explain_prepared(const Transaction& trans, const Mode& mode,
                             std::chrono::seconds timeout) {
  std::string text = "its application has not submitted it";
  if (is_resumed(mode)) {
    return text + "; the coordinator calls " + masked_url(trans.query_prepared) + " to resume it";
  }
  if (mode.times_out_in != TransStatus::prepared || timeout.count() == 0) {
    return text + ", and it has no timeout";
  }
  text += "; after " + seconds_text(timeout) + " ";
  if (mode.application_call == ApplicationCall::none) return text + "it rolls back";
  if (trans.query_prepared.empty()) {
    return text + "it is submitted as if its application had done so";
  }
  return text + "the coordinator asks " + masked_url(trans.query_prepared);
}

/// As somebody may have left it in the store by hand.
std::string url_text(const std::string& url) {
  return url.empty() ? "an empty URL" : url;
}

bool has_ended_otherwise(const Branch& row, Outcome outcome) {
  return (row.status == BranchStatus::succeed && outcome != Outcome::success) ||
         (row.status == BranchStatus::failed && outcome != Outcome::failure);
}

/// What has become of the row of an attempt since; empty if nothing. Another coordinator, or
/// somebody by hand in the store, has done it.
std::string changed_since(const Attempt& attempt, const Transaction& trans) {
  const auto row = std::ranges::find_if(trans.branches, [&attempt](const Branch& each) {
    return each.branch_id.view() == attempt.branch_id && each.op == attempt.op;
  });
  if (row == trans.branches.end()) return {};
  if (has_ended_otherwise(*row, attempt.outcome)) {
    return "its branch " + attempt.branch_id + " " + attempt.op + ", whose last call from here " +
           "ended in " + std::string(to_string(attempt.outcome)) + ", has status '" +
           std::string(to_string(row->status)) + "' since";
  }
  if (masked_url(row->url) == attempt.url) return {};
  return "its branch has another URL since the last attempt, which was at " + url_text(attempt.url);
}

/// Whether its application was asked before: a first look comes at its timeout.
bool waits_beyond(const Transaction& trans, std::chrono::seconds timeout) {
  constexpr std::chrono::seconds rounding{2};
  return timeout.count() > 0 && trans.waits &&
         trans.next_cron_time > trans.create_time + timeout + rounding;
}

std::string explain_finished(const Transaction& trans) {
  std::string text(to_string(trans.status));
  if (!trans.rollback_reason.empty()) text += ": " + masked_urls(trans.rollback_reason);
  return text;
}

}  // namespace

std::string_view to_string(Activity activity) noexcept {
  switch (activity) {
    case Activity::prepared:
      return "prepared";
    case Activity::running:
      return "running";
    case Activity::waiting:
      return "waiting";
    case Activity::finished:
      return "finished";
  }
  return "unknown";
}

Inspection Inspector::explain(Transaction trans, const std::optional<Owner>& other) const {
  Inspection result;
  result.trans = std::move(trans);
  const Transaction& shown = result.trans;
  result.attempts = journal_.attempts(shown.gid);
  result.urls = trouble_urls(shown, env_.modes);
  const LiveTrans* live = live_.find(shown.gid);
  const Mode* mode = env_.modes.find(shown.type);
  if (is_final(shown.status)) {
    result.explanation = explain_finished(shown);
  } else if (other) {
    result.activity = Activity::running;
    result.explanation = explain_other(*other);
  } else if (live != nullptr && live->is_driven()) {
    result.activity = Activity::running;
    result.explanation = explain_running(*live);
  } else if (mode == nullptr) {
    result.activity = Activity::waiting;
    result.explanation = "its type is not in this version";
  } else if (const auto read = read_stored(*mode, shown); !read) {
    result.activity = Activity::waiting;
    result.explanation = read.error().detail + "; nobody works on it";
  } else if (env_.paused) {
    const bool is_prepared = shown.status == TransStatus::prepared;
    result.activity = is_prepared ? Activity::prepared : Activity::waiting;
    result.explanation = paused_error().detail;
  } else if (env_.ownership != nullptr && shown.next_cron_time == WallTime{}) {
    result.activity = Activity::waiting;
    result.explanation =
        "its next_cron_time is empty, so no next attempt is known, and in a database no "
        "coordinator looks for it; a retry begins one";
  } else if (is_before_its_time(result, *mode)) {
    result.activity = Activity::prepared;
    const std::chrono::seconds timeout = env_.timeout_of(shown.options.timeout_to_fail, *mode);
    result.explanation = explain_prepared(shown, *mode, timeout);
    if (shown.waits) {
      result.next_attempt = next_pass_time(shown);
    } else if (mode->times_out_in == shown.status && timeout.count() > 0) {
      result.next_attempt = shown.create_time + timeout;
    }
  } else {
    result.activity = Activity::waiting;
    result.explanation = explain_wait(result);
    const bool is_queued = !wakes_.slots().queued_at(shown.gid).empty();
    if (shown.waits && !is_queued) result.next_attempt = next_pass_time(shown);
  }
  return result;
}

/// Whether it is prepared, and the coordinators have not done anything for it.
bool Inspector::is_before_its_time(const Inspection& inspection, const Mode& mode) const {
  const Transaction& trans = inspection.trans;
  if (trans.status != TransStatus::prepared || !inspection.attempts.empty()) return false;
  if (doublings(trans) > 0) return false;
  if (mode.application_call != ApplicationCall::asks) return true;
  return !waits_beyond(trans, env_.timeout_of(trans.options.timeout_to_fail, mode));
}

std::string Inspector::explain_other(const Owner& other) const {
  const auto left = std::chrono::ceil<std::chrono::seconds>(other.until - env_.clock.wall_now());
  const std::string seconds = std::to_string(std::max<std::int64_t>(left.count(), 0));
  if (!other.is_coordinator) {
    return "a server of DTM that uses the same store may be working on it, for " + seconds +
           " s at most";
  }
  return "another coordinator, " + other.id + ", works on it; its lease ends in " + seconds +
         " s unless it is renewed";
}

/// The stored time; or the time of the alarm if that is earlier, because the clock was ahead when
/// the time was stored. If several coordinators share the store, an earlier alarm has no effect:
/// another one has put the transaction to rest since (Engine::rests_longer).
WallTime Inspector::next_pass_time(const Transaction& trans) const {
  if (env_.ownership != nullptr) return trans.next_cron_time;
  const SteadyTime next = wakes_.alarms().next_pass_of(trans.gid);
  if (next == SteadyTime::max()) return trans.next_cron_time;
  return std::min<WallTime>(trans.next_cron_time, env_.clock.wall_now() + (next - env_.now()));
}

std::string Inspector::explain_wait(const Inspection& inspection) const {
  const Transaction& trans = inspection.trans;
  if (const std::string text = explain_pause(trans); !text.empty()) return text;
  if (const std::string_view target = wakes_.slots().queued_at(trans.gid); !target.empty()) {
    return "waits for room at " + masked_url(target) + ", which is tried again for at most " +
           std::to_string(wakes_.slots().limit(target)) + " at one time";
  }
  if (!trans.waits) {
    const LiveTrans* live = live_.find(trans.gid);
    const bool is_ours = env_.ownership == nullptr || (live != nullptr && live->has_lease());
    return is_ours ? "is resumed as soon as there is room"
                   : "nobody works on it; a coordinator takes it at its next look for due ones";
  }
  if (!inspection.attempts.empty() && changed_since(inspection.attempts.back(), trans).empty()) {
    const Attempt& last = inspection.attempts.back();
    std::string text = env_.ownership == nullptr ? "the last call" : "this coordinator's last call";
    text += ", branch " + last.branch_id + " " + last.op + " at " + url_text(last.url) +
            ", ended in " + std::string(to_string(last.outcome));
    if (!last.answer.empty()) text += ": " + last.answer;
    const std::string_view target = wakes_.alarms().target_of(trans.gid);
    if (!target.empty()) text += "; tried at once when " + masked_url(target) + " answers again";
    return text;
  }
  if (const auto delay = awaited_delay(trans); delay.count() > 0) {
    return "waits for its delay of " + seconds_text(delay);
  }
  return explain_rest(inspection);
}

/// Empty if nothing is paused that it calls next.
std::string Inspector::explain_pause(const Transaction& trans) const {
  const Mode* mode = env_.modes.find(trans.type);
  const auto next = next_of(trans, *mode);
  const Pause* pause = next ? env_.pause_of(trans, *mode, *next) : nullptr;
  if (pause == nullptr) return {};
  std::string text =
      std::string(to_string(pause->kind)) + " '" + masked_url(pause->value) + "' is paused";
  if (!pause->caller.empty()) text += " by " + pause->caller;
  if (!pause->reason.empty()) text += ": " + pause->reason;
  return text;
}

/// The delay that a transaction waits for; zero if it waits for something else.
std::chrono::seconds Inspector::awaited_delay(const Transaction& trans) const {
  const Mode* mode = env_.modes.find(trans.type);
  CONCERTO_ASSERT(mode != nullptr);
  const auto custom = parse_custom_data(*mode, trans.custom_data, trans);
  if (!custom) return {};
  const std::chrono::seconds delay = custom->delay;
  const std::chrono::seconds none{};
  if (trans.submit_time) return trans.next_cron_time <= *trans.submit_time + delay ? delay : none;
  // Rows that coordinators share have no submit time. The last change of a transaction that waits
  // for its delay has put it to rest, for as long as the delay is.
  constexpr std::chrono::seconds rounding{2};
  const bool is_rest = trans.status == TransStatus::submitted && doublings(trans) == 0;
  const auto rests_for = trans.next_cron_time - trans.update_time;
  return is_rest && std::chrono::abs(rests_for - delay) <= rounding ? delay : none;
}

/// What the store says of a transaction that waits. Attempts, and who made them, are not stored.
std::string Inspector::explain_rest(const Inspection& inspection) const {
  std::string text = "waits for its next try";
  if (!inspection.urls.empty()) text += " at " + url_text(inspection.urls.front());
  if (const auto errors = doublings(inspection.trans); errors > 0) {
    text += "; its interval has grown to " +
            std::to_string(inspection.trans.next_cron_interval.count()) + " s, since at least " +
            std::to_string(errors) + (errors == 1 ? " pass" : " passes") + " ended in an error";
  }
  const bool has_own = !inspection.attempts.empty();
  if (has_own) text += "; " + changed_since(inspection.attempts.back(), inspection.trans);
  if (env_.ownership == nullptr) {
    return has_own ? text : text + "; earlier attempts are not known to this process";
  }
  if (has_own) return text + "; what other coordinators have tried since, only they know";
  return text +
         "; its attempts are known only to the coordinator that made them, and the store does not "
         "say which one that was: ask the others";
}

/// How often errors have doubled its interval.
std::int64_t Inspector::doublings(const Transaction& trans) const {
  return backoff_count(trans.next_cron_interval, reset_interval(trans.options, env_.options));
}

}  // namespace concerto
