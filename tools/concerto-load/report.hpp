#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "check_findings.hpp"
#include "options.hpp"
#include "run_info.hpp"
#include "tally.hpp"

namespace concerto::load {

/// What the processes used in the measured time. Empty: not asked for, or not available.
struct Usage {
  double client_cpu_us = 0;             ///< of this process, which submits and serves the branches
  std::optional<double> server_cpu_us;  ///< of --server-process
  std::optional<std::uint64_t> server_resident_bytes;  ///< at the end
  std::optional<std::uint64_t> device_bytes;  ///< written by the device of --data-directory
};

/// The results of a load.
struct Report {
  RunInfo run;
  LoadOptions options;  ///< with the gid prefix that was used
  Tally tally;
  Usage usage;
  std::uint64_t acknowledged = 0;       ///< in the warm-up and afterwards
  std::uint64_t failed_on_purpose = 0;  ///< of the acknowledged ones: they roll back
  std::uint64_t errors_on_purpose = 0;  ///< of the acknowledged ones: a branch is called again
  std::uint64_t queried = 0;
  double drain_seconds = 0;
  std::uint64_t branch_calls = 0;  ///< to the load's own branches, repeated ones included
  std::uint64_t repeated_calls = 0;
  CheckFindings findings;
  bool interrupted = false;  ///< by a signal

  std::uint64_t transactions() const noexcept { return tally.latency_us().count(); }
  double tx_per_second() const noexcept;
  /// A sum divided by the number of measured transactions.
  double per_transaction(double sum) const noexcept;

  /// Whether enough transactions succeeded and every acknowledged one is as it must be.
  bool passed() const noexcept;
  /// Whether any transaction ended. Those with an error on purpose end after their answer.
  bool has_result() const noexcept;
  /// Whether the answer to a transaction need not mean its end.
  bool may_end_later() const noexcept;
  /// `saga over grpc, 128 in flight`
  std::string title() const;
  /// Why the load has not passed, a sentence for each reason; empty if it has passed.
  std::vector<std::string> objections() const;
  /// `passed: 500 acknowledged, 500 queried, 0 failures`, or `failed:` and the objections.
  std::string verdict() const;
};

/// Lines for people.
std::string to_text(const Report& report);

/// One object. The README names its fields.
std::string to_json(const Report& report);

/// A page that needs no other file: the summary, latency by percentile, and both over time.
std::string to_html(const Report& report);

}  // namespace concerto::load
