#pragma once

#include <functional>

#include <concerto/protocol/span_queue.hpp>

#include "logging.hpp"
#include "trans_probe.hpp"

namespace concerto::tools {

/// The observer of one shard's engine: it passes lines to the log, counts to the metrics, and
/// trouble to a function.
class ShardObserver final : public LogObserver {
 public:
  ShardObserver(Log& log, const ModeTable& modes) : LogObserver(log), probe_(modes) {}

  /// Called on the shard, and must not block.
  void on_trouble(std::function<void(const BranchTrouble&)> hook) { hook_ = std::move(hook); }

  /// Spans go into `queue` from now on; null: they are dropped.
  void record_spans(net::SpanQueue* queue) { spans_ = queue; }

  void span_ended(const Span& span) override {
    if (spans_ != nullptr) spans_->add(span);
  }
  void branch_called(const BranchCall& call, const BranchReply& reply,
                     std::chrono::nanoseconds took) override {
    probe_.count_call(call, reply.outcome, took);
  }
  void pass_ended(const Transaction& trans, bool without_error) override {
    probe_.count_pass(trans, without_error);
  }
  void transaction_ended(const Transaction& trans) override { probe_.count_end(trans); }
  void branch_in_trouble(const BranchTrouble& trouble) override {
    if (hook_) hook_(trouble);
  }

  void lease_lost(const Gid& /*gid*/) override { probe_.count_lost_lease(); }
  void call_past_lease(const BranchCall& /*call*/) override { probe_.count_call_past_lease(); }

  const TransProbe& probe() const noexcept { return probe_; }

 private:
  TransProbe probe_;
  std::function<void(const BranchTrouble&)> hook_;
  net::SpanQueue* spans_ = nullptr;
};

}  // namespace concerto::tools
