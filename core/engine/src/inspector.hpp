#pragma once

#include <optional>
#include <string>

#include <concerto/engine/inspection.hpp>
#include <concerto/engine/ownership.hpp>

#include "journal.hpp"
#include "live_table.hpp"
#include "shard_env.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Gives the reasons for the state of a transaction. Changes nothing. On the shard's thread.
class Inspector {
 public:
  Inspector(const ShardEnv& env, const LiveTable& live, const WakeUps& wakes,
            const Journal& journal)
      : env_(env), live_(live), wakes_(wakes), journal_(journal) {}

  /// `other`: who has the transaction, if it is not this coordinator.
  Inspection explain(Transaction trans, const std::optional<Owner>& other) const;

 private:
  bool is_before_its_time(const Inspection& inspection, const Mode& mode) const;
  std::string explain_other(const Owner& other) const;
  std::string explain_wait(const Inspection& inspection) const;
  std::string explain_pause(const Transaction& trans) const;
  std::chrono::seconds awaited_delay(const Transaction& trans) const;
  std::string explain_rest(const Inspection& inspection) const;
  std::int64_t doublings(const Transaction& trans) const;
  WallTime next_pass_time(const Transaction& trans) const;

  const ShardEnv& env_;
  const LiveTable& live_;
  const WakeUps& wakes_;
  const Journal& journal_;
};

}  // namespace concerto
