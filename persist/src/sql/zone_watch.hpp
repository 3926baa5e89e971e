#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/clock.hpp>

namespace concerto::persist {

/// What a coordinator leaves in the database, where the columns of times have no zone.
struct ZoneRecord {
  std::int64_t id = 0;  ///< smaller: written earlier
  std::string node;
  std::string host;
  std::chrono::seconds east_of_utc{};
  std::chrono::seconds age{};  ///< since its coordinator renewed it, by the database's clock
  std::int64_t beats = 0;      ///< one more with each renewal
};

/// What one look into the database finds.
struct ZoneLook {
  std::chrono::seconds east_of_utc{};  ///< of the times that this coordinator writes now
  std::vector<ZoneRecord> records;     ///< of all coordinators
};

/// The records in the database, by one connection. Errors are those of SqlConnection.
class ZoneRecords {
 public:
  virtual Async<ZoneLook> look_at_zones() = 0;
  /// Writes this coordinator's record anew, with the zone of the times that it writes now.
  virtual Async<> add_zone(std::string host) = 0;
  /// The same with the record that is there. False if there is none.
  virtual Async<bool> renew_zone(std::string host) = 0;
  virtual Async<> remove_zone() = 0;
  /// Removes records of others, unless they were renewed meanwhile.
  virtual Async<> remove_zones(std::vector<ZoneRecord> records) = 0;

 protected:
  ~ZoneRecords() = default;
};

/// Finds out whether another coordinator that lives has another zone (decision 0008). It decides
/// only. Time is a clock that never jumps.
///
/// A record with another zone is a suspicion. It is held against its coordinator once the
/// coordinator has renewed it, with this other zone, while this one's zone stayed as it is. So
/// neither a coordinator that was killed nor the begin of summer time is one.
class ZoneWatch {
 public:
  struct Times {
    /// How often a coordinator renews its record and looks at those of others.
    std::chrono::nanoseconds beat = std::chrono::seconds{4};
    /// A record that was not renewed for so long is of a coordinator that does not run.
    std::chrono::nanoseconds alive_for = std::chrono::seconds{15};
  };
  enum class Verdict : std::uint8_t {
    agrees,     ///< this coordinator may work
    undecided,  ///< before it works: whether a coordinator with another zone lives is not known yet
    differs,    ///< it must not work
  };

  ZoneWatch(std::string node, const Times& times) : node_(std::move(node)), times_(times) {}

  /// Whether to look now. Before it works, a coordinator looks whenever it can.
  bool is_due(SteadyTime now) const noexcept { return !works_ || now - looked_at_ >= times_.beat; }
  /// A coordinator works after a look that agrees and shows its own record: so of two that start at
  /// one time, at least one sees the other.
  Verdict judge(const ZoneLook& look, SteadyTime now);
  /// This coordinator cannot look, or has no record, and works all the same.
  void work_without(SteadyTime now) noexcept;
  bool works() const noexcept { return works_; }
  /// Whether the last look is so long ago that others may have taken this coordinator for one that
  /// does not run. Then its record is no longer the earlier one.
  bool has_lapsed(SteadyTime now) const noexcept { return now - looked_at_ > times_.alive_for; }
  /// What to tell people about the last verdict. Empty: it agrees.
  const std::string& reason() const noexcept { return reason_; }

  /// The records of coordinators that do not run any more.
  std::vector<ZoneRecord> dead(const ZoneLook& look) const;

 private:
  struct Suspect {
    std::int64_t id = 0;
    std::int64_t beats = 0;
    SteadyTime since{};
  };

  Suspect suspect_of(const ZoneRecord& other, SteadyTime now) const;
  Verdict judge(const ZoneRecord& other, const Suspect& suspect, SteadyTime now) const;

  const std::string node_;
  const Times times_;
  bool works_ = false;
  SteadyTime looked_at_{};
  std::chrono::seconds east_of_utc_{};
  std::map<std::string, Suspect> suspects_;  ///< by node
  std::string reason_;
};

}  // namespace concerto::persist
