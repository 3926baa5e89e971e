#pragma once

#include <chrono>
#include <string_view>

#include <concerto/base/probe.hpp>
#include <concerto/engine/observer.hpp>

namespace concerto {

/// The observer of a shard, as the engine calls it. What the observer throws is counted and, now
/// and then, logged; it does not end what is observed. On the shard's thread.
class GuardedObserver {
 public:
  explicit GuardedObserver(Observer& observer) : observer_(observer) {}

  bool logs(LogLevel level) const noexcept { return observer_.logs(level); }
  void log(LogLevel level, std::string_view gid, std::string_view text) noexcept {
    tell("log", [&] { observer_.log(level, gid, text); });
  }
  void log_in_trace(LogLevel level, std::string_view gid, const TraceId& trace,
                    std::string_view text) noexcept {
    tell("log_in_trace", [&] { observer_.log_in_trace(level, gid, trace, text); });
  }
  void span_ended(const Span& span) noexcept {
    tell("span_ended", [&] { observer_.span_ended(span); });
  }
  void branch_called(const BranchCall& call, const BranchReply& reply,
                     std::chrono::nanoseconds took) noexcept {
    tell("branch_called", [&] { observer_.branch_called(call, reply, took); });
  }
  void pass_ended(const Transaction& trans, bool without_error) noexcept {
    tell("pass_ended", [&] { observer_.pass_ended(trans, without_error); });
  }
  void transaction_ended(const Transaction& trans) noexcept {
    tell("transaction_ended", [&] { observer_.transaction_ended(trans); });
  }
  void branch_in_trouble(const BranchTrouble& trouble) noexcept {
    tell("branch_in_trouble", [&] { observer_.branch_in_trouble(trouble); });
  }
  void lease_lost(const Gid& gid) noexcept {
    tell("lease_lost", [&] { observer_.lease_lost(gid); });
  }
  void call_past_lease(const BranchCall& call) noexcept {
    tell("call_past_lease", [&] { observer_.call_past_lease(call); });
  }

  /// How many exceptions the observer has thrown. On any thread.
  std::uint64_t exceptions() const noexcept { return exceptions_.value(); }

 private:
  template <class Call>
  void tell(const char* function, Call call) noexcept {
    try {
      call();
    } catch (...) {
      has_thrown(function);
    }
  }
  void has_thrown(const char* function) noexcept;

  Observer& observer_;
  Counter exceptions_;
};

}  // namespace concerto
