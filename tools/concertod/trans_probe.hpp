#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <concerto/core/branch_caller.hpp>
#include <concerto/core/probe.hpp>

#include "metric_set.hpp"

namespace concerto::tools {

/// What one shard does with transactions and branches, in counts. Written and collected on the
/// shard. The number of labels is bounded whatever gids, ids and URLs say.
class TransProbe {
 public:
  static constexpr std::size_t targets_max = 200;  ///< with a latency of their own

  TransProbe();

  /// A pass over a transaction has ended (protocol page 02, section 10).
  void count_pass(const Transaction& trans, bool without_error);
  void count_call(const BranchCall& call, Outcome outcome, std::chrono::nanoseconds took);

  void collect(MetricSet& metrics) const;

 private:
  struct Passes {
    Counter ok;
    Counter failed;
    TimeHistogram handled;
  };
  struct Calls {
    Counter ok;
    Counter failed;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  static std::size_t place_of(TransType type, std::size_t op, std::size_t branch) noexcept;
  TimeHistogram& latency_at(std::string_view target);
  void collect_passes(TransType type, MetricSet& metrics) const;
  void collect_calls(TransType type, MetricSet& metrics) const;

  std::array<Passes, trans_types> passes_;
  std::vector<Calls> calls_;
  std::unordered_map<std::string, std::unique_ptr<TimeHistogram>, Hash, std::equal_to<>> targets_;
  TimeHistogram other_targets_;
};

}  // namespace concerto::tools
