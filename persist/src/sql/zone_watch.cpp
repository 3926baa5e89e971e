#include "zone_watch.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace concerto::persist {
namespace {

/// `+05:30`.
std::string offset_text(std::chrono::seconds east_of_utc) {
  const auto total = std::chrono::round<std::chrono::minutes>(east_of_utc).count();
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%c%02lld:%02lld", total < 0 ? '-' : '+',
                                 std::llabs(total) / 60, std::llabs(total) % 60);
  return {text, static_cast<std::size_t>(size)};
}

std::string zones_text(std::chrono::seconds own, const ZoneRecord& other) {
  return "this coordinator's times are " + offset_text(own) +
         " from UTC, and those of coordinator " + other.node + " on host '" + other.host +
         "' are " + offset_text(other.east_of_utc);
}

constexpr const char* advice =
    ". With different time zones coordinators take transactions from each other. Give all of them "
    "the same TimeZoneOffset, or their systems the same time zone";

}  // namespace

ZoneWatch::Verdict ZoneWatch::judge(const ZoneLook& look, SteadyTime now) {
  if (has_lapsed(now)) works_ = false;
  looked_at_ = now;
  // The zone may just have changed, as at the begin of summer time: others need time to follow.
  if (look.east_of_utc != east_of_utc_) suspects_.clear();
  east_of_utc_ = look.east_of_utc;
  const auto own = std::ranges::find(look.records, node_, &ZoneRecord::node);
  std::map<std::string, Suspect> suspects;
  Verdict verdict = Verdict::agrees;
  reason_.clear();
  for (const ZoneRecord& other : look.records) {
    const bool is_own = other.node == node_;
    if (is_own || other.east_of_utc == east_of_utc_ || other.age > times_.alive_for) continue;
    const Suspect suspect = suspect_of(other, now);
    suspects.emplace(other.node, suspect);
    // Of two with records, the later one finds the earlier one and makes room.
    if (own != look.records.end() && own->id < other.id) continue;
    const Verdict about = judge(other, suspect, now);
    if (about <= verdict) continue;
    verdict = about;
    reason_ = zones_text(east_of_utc_, other);
  }
  suspects_ = std::move(suspects);
  if (verdict == Verdict::undecided) reason_ += ". Whether that one still runs is not known yet";
  if (verdict == Verdict::differs) reason_ += advice;
  works_ = verdict == Verdict::agrees && (works_ || own != look.records.end());
  return verdict;
}

ZoneWatch::Suspect ZoneWatch::suspect_of(const ZoneRecord& other, SteadyTime now) const {
  const auto known = suspects_.find(other.node);
  const bool is_known = known != suspects_.end() && known->second.id == other.id;
  return is_known ? known->second : Suspect{other.id, other.beats, now};
}

ZoneWatch::Verdict ZoneWatch::judge(const ZoneRecord& other, const Suspect& suspect,
                                    SteadyTime now) const {
  // One that works has been right until now. At the begin of summer time the clocks of two
  // machines do not agree about the moment.
  const std::int64_t enough = works_ ? 2 : 1;
  if (other.beats - suspect.beats >= enough) return Verdict::differs;
  // The database's clock may have jumped, so that the age says nothing.
  const bool is_silent = now - suspect.since > times_.alive_for;
  return works_ || is_silent ? Verdict::agrees : Verdict::undecided;
}

void ZoneWatch::work_without(SteadyTime now) noexcept {
  works_ = true;
  looked_at_ = now;
  reason_.clear();
}

std::vector<ZoneRecord> ZoneWatch::dead(const ZoneLook& look) const {
  std::vector<ZoneRecord> dead;
  std::ranges::copy_if(look.records, std::back_inserter(dead), [this](const ZoneRecord& record) {
    return record.node != node_ && record.age > times_.alive_for;
  });
  return dead;
}

}  // namespace concerto::persist
