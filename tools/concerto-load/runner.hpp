#pragma once

#include <cstdint>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>

#include "call_ledger.hpp"
#include "check_findings.hpp"
#include "coordinator_client.hpp"
#include "options.hpp"
#include "tally.hpp"

namespace concerto::load {

/// Begins transactions: a new one whenever one ends (closed loop), or at even times however many
/// are in flight (open loop). Ends early after too many failures, or when it is stopped.
class Runner {
 public:
  /// The length of a period of load.
  struct Period {
    double seconds = 0;
    std::uint64_t transactions = 0;  ///< 0: no such limit
  };

  /// All referenced objects must outlive the runner.
  Runner(Executor executor, Timers& timers, const LoadOptions& options, const Scenario& scenario,
         CoordinatorClient& client, CallLedger& ledger, Tally& tally, CheckFindings& findings);

  /// Returns when every transaction that was begun has ended.
  Task<void> offer(Period period);

  void stop() noexcept { stopped_ = true; }
  bool stopped() const noexcept { return stopped_; }

 private:
  bool may_begin(SteadyTime now) const;
  Task<void> keep_rate();
  Task<void> keep_in_flight();
  Task<void> begin_in_turn();
  Task<void> begin_one(SteadyTime begin);
  /// True if the transaction was acknowledged.
  Task<bool> try_one(std::uint64_t number, SteadyTime begin);
  void note_end(std::uint64_t number, SteadyTime begin, const Result<>& answer);
  void note_failure(std::uint64_t number, std::string_view text);

  Executor executor_;
  Timers& timers_;
  const LoadOptions& options_;
  bool ends_with_reply_;
  CoordinatorClient& client_;
  CallLedger& ledger_;
  Tally& tally_;
  CheckFindings& findings_;
  SteadyTime until_;
  std::uint64_t left_ = 0;  ///< transactions that may still begin
  bool stopped_ = false;
};

}  // namespace concerto::load
