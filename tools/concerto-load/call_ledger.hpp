#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concerto::load {

/// A call that a branch has to receive, or may receive.
struct ExpectedCall {
  std::string branch_id;
  std::string op;

  friend bool operator==(const ExpectedCall&, const ExpectedCall&) = default;
};

/// Keeps which transactions began, which were acknowledged, and which of the calls that each must
/// cause have come: one byte per transaction.
///
/// Gids are numbered, `<prefix>-<number>`, so that a call needs no lookup by text. All have the
/// same length, because the reference stores a branch under its gid followed by a number: no gid
/// may be the beginning of another.
class CallLedger {
 public:
  static constexpr std::size_t calls_max = 6;

  /// `required`: the calls that each transaction must cause, at most calls_max.
  CallLedger(std::string prefix, std::vector<ExpectedCall> required);

  /// Begins a transaction and returns its number.
  std::uint64_t begin();
  std::uint64_t begun() const noexcept { return states_.size(); }
  std::string gid(std::uint64_t number) const;

  /// Notes a call that came. False if no transaction of this load may cause it.
  bool note(std::string_view gid, std::string_view branch_id, std::string_view op);

  void acknowledge(std::uint64_t number);
  bool acknowledged(std::uint64_t number) const {
    return (states_[number] & was_acknowledged) != 0;
  }
  std::uint64_t acknowledged_count() const noexcept { return acknowledged_count_; }

  /// Whether every required call has come, and no other call.
  bool complete(std::uint64_t number) const { return is_complete(states_[number]); }
  /// Number of acknowledged transactions that are not complete.
  std::uint64_t incomplete_count() const noexcept { return incomplete_count_; }

  /// What is wrong with a transaction: which calls are missing, or that other calls came.
  std::string describe(std::uint64_t number) const;

  /// Number of required calls that came, repeated calls included.
  std::uint64_t calls() const noexcept { return calls_; }
  std::uint64_t repeated_calls() const noexcept { return repeated_calls_; }

 private:
  using State = std::uint8_t;
  static constexpr std::size_t number_chars = 10;
  static constexpr State was_acknowledged = 1U << calls_max;
  static constexpr State heard_another = 1U << (calls_max + 1);

  bool is_complete(State state) const noexcept {
    return (state & ~was_acknowledged) == all_required_;
  }
  std::optional<std::uint64_t> number_of(std::string_view gid) const;
  void set(std::uint64_t number, State bits);

  std::string prefix_;
  std::vector<ExpectedCall> required_;
  State all_required_;
  std::deque<State> states_;
  std::uint64_t acknowledged_count_ = 0;
  std::uint64_t incomplete_count_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t repeated_calls_ = 0;
};

}  // namespace concerto::load
