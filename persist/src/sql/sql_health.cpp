#include "sql_health.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/counted.hpp>

#include "sql_error.hpp"

namespace concerto::persist {
namespace {

const std::string cannot_connect =
    "the database serves on the connections that there are, and takes no further one: ";

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
  if (unconnected_ && !std::exchange(unconnected_->is_told, true)) {
    lines.push_back({LogLevel::warn, cannot_connect + unconnected_->why});
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
  unconnected_.reset();
  if (!is_silent || !away_->is_silent) away_->why = why;
  away_->is_silent = is_silent;
  return lines;
}

SqlHealth::Lines SqlHealth::connected(SteadyTime now, const Result<>& tried) {
  Lines lines;
  if (!tried) {
    if (away_) return lines;
    if (!unconnected_) {
      unconnected_.emplace();
      unconnected_->since = now;
    }
    ++unconnected_->tries;
    unconnected_->failed_at = now;
    unconnected_->why = tried.error().detail;
  } else if (unconnected_) {
    if (unconnected_->is_told) {
      lines.push_back({LogLevel::info, "connections to the database are made again: " +
                                           counted(unconnected_->tries, "try", "tries") +
                                           " failed in " +
                                           seconds_text(now - unconnected_->since)});
    }
    unconnected_.reset();
  }
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
  if (!is_new_reason(refusal, now)) return;
  lines.push_back({refusal.waits ? LogLevel::warn : LogLevel::error, refusal.why});
}

/// Reasons that come in turns must not fill the log, and a reason that is new must not be missing.
bool SqlHealth::is_new_reason(Refusal& refusal, SteadyTime now) {
  std::erase_if(refusal.logged, [&](const auto& logged) {
    return now - logged.first >= reason_pause && logged.second != refusal.why;
  });
  const bool is_known = std::ranges::any_of(
      refusal.logged, [&](const auto& logged) { return logged.second == refusal.why; });
  if (is_known || refusal.logged.size() >= reasons_max) return false;
  refusal.logged.emplace_back(now, refusal.why);
  return true;
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
  if (unconnected_ && unconnected_->is_told && now - unconnected_->failed_at >= connect_pause) {
    lines.push_back({LogLevel::info, "no further connection to the database was needed for " +
                                         seconds_text(connect_pause)});
    unconnected_.reset();
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
  health.tells = refusal_ || unconnected_;
  const bool refuses = refusal_ && !refusal_->is_proven_over && now - refusal_->failed_at < calm;
  if (away_) {
    health.add(StoreHealth::State::recovering, away_->why);
  } else if (refuses && !refusal_->waits) {
    health.add(StoreHealth::State::recovering, refusal_->why);
  } else if (refuses) {
    health.warnings.push_back(refusal_->why);
  }
  if (unconnected_ && unconnected_->is_told) {
    health.warnings.push_back(cannot_connect + unconnected_->why);
  }
  if (slowness_ && slowness_->is_told) {
    health.warnings.push_back("the database is slow: statements took up to " +
                              seconds_text(slowness_->longest));
  }
  return health;
}

}  // namespace concerto::persist
