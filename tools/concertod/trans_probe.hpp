#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <concerto/base/probe.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/mode.hpp>

#include "metric_set.hpp"

namespace concerto::tools {

/// Counts of one shard's transactions and branch calls. They are written and collected on the
/// shard. The number of labels is limited, whatever gids, branch ids and URLs say.
class TransProbe {
 public:
  static constexpr std::size_t targets_max = 200;  ///< targets with their own labels

  /// The target without the user that a URL may name.
  static std::string label_of(std::string_view target);

  /// `modes` must outlive the probe. Labels have the names of the modes.
  explicit TransProbe(const ModeTable& modes);

  /// A pass over a transaction has ended (protocol page 02, section 10).
  void count_pass(const Transaction& trans, bool without_error);
  /// A transaction has reached its last status.
  void count_end(const Transaction& trans);
  void count_call(const BranchCall& call, Outcome outcome, std::chrono::nanoseconds took);
  /// Another coordinator has taken a transaction from this one.
  void count_lost_lease() { leases_lost_.add(); }
  /// A call has ended after its lease.
  void count_call_past_lease() { calls_past_lease_.add(); }

  void collect(MetricSet& metrics) const;

 private:
  struct Passes {
    Counter ok;
    Counter failed;
    TimeHistogram handled;
  };
  struct Ends {
    Counter succeeded;
    Counter failed;
  };
  struct Calls {
    Counter ok;
    Counter failed;
  };
  struct Target {
    TimeHistogram latency;
    std::array<Counter, 4> ended;  ///< calls by outcome, the index is the outcome's value
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::size_t place_of(TransType type, std::size_t op, std::size_t branch) const noexcept;
  Target& target_at(std::string_view url_target);
  void collect_ends(TransType type, MetricSet& metrics) const;
  void collect_passes(TransType type, MetricSet& metrics) const;
  void collect_calls(TransType type, MetricSet& metrics) const;
  static void collect_target(std::string_view name, const Target& target, MetricSet& metrics);

  const ModeTable& modes_;
  const std::vector<std::string_view> ops_;
  std::array<Passes, trans_types> passes_;
  std::array<Ends, trans_types> ends_;
  std::vector<Calls> calls_;
  std::unordered_map<std::string, std::unique_ptr<Target>, Hash, std::equal_to<>> targets_;
  Target other_targets_;
  Counter leases_lost_;
  Counter calls_past_lease_;
};

}  // namespace concerto::tools
