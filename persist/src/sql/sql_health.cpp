#include "sql_health.hpp"

#include <algorithm>
#include <utility>

#include "sql_error.hpp"

namespace concerto::persist {
namespace {

std::string seconds_text(std::chrono::nanoseconds time) {
  const auto tenths = std::chrono::duration_cast<std::chrono::milliseconds>(time).count() / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

}  // namespace

SqlHealth::Lines SqlHealth::reached(SteadyTime now, std::chrono::nanoseconds took) {
  Lines lines;
  if (away_) {
    lines.push_back({LogLevel::info, "the store serves: " + place_ + ", it was away for " +
                                         seconds_text(now - away_->since)});
    away_.reset();
  }
  note_time(now, took, lines);
  return lines;
}

SqlHealth::Lines SqlHealth::away(SteadyTime now, std::string_view why, bool is_silent) {
  Lines lines;
  if (!away_) {
    lines.push_back({LogLevel::error, "the store is away: " + std::string(why)});
    away_.emplace();
    away_->since = now;
  }
  if (!is_silent || !away_->is_silent) away_->why = why;
  away_->is_silent = is_silent;
  return lines;
}

SqlHealth::Lines SqlHealth::checked(SteadyTime now, const Result<>& check) {
  Lines lines;
  if (!check) {
    refuse(now, check.error(), 0, lines);
    refusal_->seen_by_check = true;
  } else if (refusal_ && refusal_->seen_by_check) {
    refusal_->is_proven_over = true;
  }
  return lines;
}

SqlHealth::Lines SqlHealth::wrote(SteadyTime now, std::chrono::nanoseconds took) {
  Lines lines;
  if (refusal_) refusal_->is_proven_over = true;
  note_time(now, took, lines);
  return lines;
}

SqlHealth::Lines SqlHealth::refused(SteadyTime now, const Error& error, std::size_t changes) {
  Lines lines;
  refuse(now, error, changes, lines);
  return lines;
}

void SqlHealth::refuse(SteadyTime now, const Error& error, std::size_t changes, Lines& lines) {
  const bool begins = !refusal_;
  if (begins) {
    refusal_.emplace();
    refusal_->since = now;
  }
  Refusal& refusal = *refusal_;
  refusal.failed_at = now;
  refusal.is_proven_over = false;
  refusal.changes += changes;
  refusal.waits = error.code == SqlErrc::rolled_back;
  refusal.why = (refusal.waits ? "changes wait for the database, and are tried again: "
                               : "the database refuses changes: ") +
                error.detail;
  if (!begins && (refusal.why == refusal.logged || now - refusal.logged_at < reason_pause)) return;
  refusal.logged_at = now;
  refusal.logged = refusal.why;
  lines.push_back({refusal.waits ? LogLevel::warn : LogLevel::error, refusal.why});
}

/// One slow statement is no trouble: the next one tells.
void SqlHealth::note_time(SteadyTime now, std::chrono::nanoseconds took, Lines& lines) {
  if (took < slow_from) return;
  const bool is_first = !slowness_ || (!slowness_->is_told && now - slowness_->seen_at >= calm);
  if (is_first) {
    slowness_.emplace();
    slowness_->since = now - took;
  }
  slowness_->seen_at = now;
  slowness_->longest = std::max(slowness_->longest, took);
  if (is_first || slowness_->is_told) return;
  slowness_->is_told = true;
  lines.push_back({LogLevel::warn, "the database is slow: a statement took " + seconds_text(took)});
}

SqlHealth::Lines SqlHealth::look(SteadyTime now) {
  Lines lines;
  if (refusal_ && refusal_->is_proven_over && now - refusal_->failed_at >= calm) {
    lines.push_back({LogLevel::info, "the database makes changes again: " +
                                         std::to_string(refusal_->changes) + " tries failed in " +
                                         seconds_text(refusal_->failed_at - refusal_->since)});
    refusal_.reset();
  }
  if (slowness_ && now - slowness_->seen_at >= calm) {
    if (slowness_->is_told) {
      lines.push_back({LogLevel::info, "the database is no longer slow: for " +
                                           seconds_text(slowness_->seen_at - slowness_->since) +
                                           " statements took up to " +
                                           seconds_text(slowness_->longest)});
    }
    slowness_.reset();
  }
  return lines;
}

/// A refusal of which nothing was seen for a while is no reason any more: only further changes can
/// tell whether it is over, and a load balancer sends none to a coordinator that is not ready.
StoreHealth SqlHealth::health(SteadyTime now) const {
  StoreHealth health;
  health.tells = refusal_.has_value();
  const bool refuses = refusal_ && !refusal_->is_proven_over && now - refusal_->failed_at < calm;
  if (away_) {
    health.add(StoreHealth::State::recovering, away_->why);
  } else if (refuses && !refusal_->waits) {
    health.add(StoreHealth::State::recovering, refusal_->why);
  } else if (refuses) {
    health.warnings.push_back(refusal_->why);
  }
  if (slowness_ && slowness_->is_told) {
    health.warnings.push_back("the database is slow: statements took up to " +
                              seconds_text(slowness_->longest));
  }
  return health;
}

}  // namespace concerto::persist
