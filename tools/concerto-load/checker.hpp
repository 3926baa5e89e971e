#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <concerto/base/timers.hpp>
#include <concerto/transport/http_client.hpp>

#include "call_ledger.hpp"
#include "check_findings.hpp"
#include "options.hpp"
#include "scenario.hpp"

namespace concerto::load {

/// What the answer of `query` says about a transaction.
enum class Stored {
  as_it_must_be,  ///< succeeded, with all branches, or rolled back if it fails on purpose
  unfinished,     ///< may still end so, which is late if its answer meant the end
  wrong,          ///< can no longer end so
  lost,           ///< not known
};
/// `fails`: the transaction fails on purpose.
Stored judge_stored(const Scenario& scenario, bool fails, const std::string& answer);

/// Checks every acknowledged transaction after the load: whether the ledger has its calls and, for
/// some or all transactions, what the coordinator has stored.
class Checker {
 public:
  static constexpr std::size_t sample_count = 1'000;
  static constexpr std::size_t sampled_above = 10'000;  ///< up to this number all are queried

  /// All referenced objects must outlive the checker.
  Checker(Executor executor, Timers& timers, net::HttpClient& http, const LoadOptions& options,
          const Scenario& scenario, CallLedger& ledger, CheckFindings& findings);

  /// Gives transactions that need not have ended with their answer their time to end, then notes
  /// what is wrong.
  Task<void> run();

  std::uint64_t queried() const noexcept { return queried_; }
  std::uint64_t to_query() const noexcept { return numbers_.size(); }
  /// The time until all calls of acknowledged transactions had come.
  double drain_seconds() const noexcept { return drain_seconds_; }

 private:
  static constexpr std::size_t workers_count = 32;

  Task<void> drain();
  void check_calls();
  void choose();
  /// Whether the answer to a transaction need not mean its end.
  bool may_end_later(std::uint64_t number) const;
  Task<void> query_in_turn();
  Task<void> query_one(std::uint64_t number);
  void note_stored(const std::string& gid, Stored stored, const std::string& answer);
  Async<std::string> query(std::string gid);

  Executor executor_;
  Timers& timers_;
  net::HttpClient& http_;
  const LoadOptions& options_;
  const Scenario& scenario_;
  CallLedger& ledger_;
  CheckFindings& findings_;
  SteadyTime deadline_;
  double drain_seconds_ = 0;
  std::vector<std::uint64_t> numbers_;  ///< of the transactions to be queried
  std::size_t next_ = 0;
  std::uint64_t queried_ = 0;
  std::size_t unanswered_ = 0;
};

}  // namespace concerto::load
