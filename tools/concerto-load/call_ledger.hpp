#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "purposes.hpp"

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
  static constexpr std::size_t calls_max = 4;

  /// The calls that a transaction must cause. Both together are at most calls_max different ones.
  struct Required {
    std::vector<ExpectedCall> to_succeed;
    std::vector<ExpectedCall> to_roll_back;  ///< for those that fail on purpose
  };

  CallLedger(std::string prefix, const Required& required, Purposes purposes = {});

  /// Begins a transaction and returns its number.
  std::uint64_t begin();
  std::uint64_t begun() const noexcept { return states_.size(); }
  std::string gid(std::uint64_t number) const;
  /// The number of a transaction that has begun. Nothing for any other gid.
  std::optional<std::uint64_t> number_of(std::string_view gid) const;
  const Purposes& purposes() const noexcept { return purposes_; }

  /// Notes a call that came. False if no transaction of this load may cause it.
  bool note(std::string_view gid, std::string_view branch_id, std::string_view op);
  /// Notes that a call was answered with an error. False if that was so before.
  bool note_error(std::uint64_t number);

  void acknowledge(std::uint64_t number);
  bool acknowledged(std::uint64_t number) const {
    return (states_[number] & was_acknowledged) != 0;
  }
  std::uint64_t acknowledged_count() const noexcept { return acknowledged_count_; }

  /// Notes that somebody has been told that the calls of a transaction are wrong.
  void tell(std::uint64_t number) { set(number, was_told); }

  /// Whether every required call has come, and no other call.
  bool complete(std::uint64_t number) const { return is_complete(number, states_[number]); }
  /// Whether a transaction is acknowledged, not complete, and nobody has been told.
  bool incomplete(std::uint64_t number) const { return is_open(number, states_[number]); }
  /// Number of such transactions.
  std::uint64_t incomplete_count() const noexcept { return incomplete_count_; }

  /// What is wrong with a transaction: which calls are missing, or that other calls came.
  std::string describe(std::uint64_t number) const;

  /// Number of required calls that came, repeated calls included.
  std::uint64_t calls() const noexcept { return calls_; }
  std::uint64_t repeated_calls() const noexcept { return repeated_calls_; }

 private:
  using State = std::uint8_t;
  static constexpr std::size_t number_chars = 10;
  static constexpr State all_calls = (1U << calls_max) - 1;
  static constexpr State was_told = 1U << calls_max;
  static constexpr State had_error = 1U << (calls_max + 1);
  static constexpr State was_acknowledged = 1U << (calls_max + 2);
  static constexpr State heard_another = 1U << (calls_max + 3);

  State bits_of(const std::vector<ExpectedCall>& calls);
  State required(std::uint64_t number) const noexcept {
    return purposes_.fails(number) ? to_roll_back_ : to_succeed_;
  }
  bool is_complete(std::uint64_t number, State state) const noexcept {
    return (state & (all_calls | heard_another)) == required(number);
  }
  bool is_open(std::uint64_t number, State state) const noexcept {
    return (state & (was_acknowledged | was_told)) == was_acknowledged &&
           !is_complete(number, state);
  }
  void set(std::uint64_t number, State bits);

  std::string prefix_;
  Purposes purposes_;
  std::vector<ExpectedCall> known_;
  State to_succeed_;
  State to_roll_back_;
  std::deque<State> states_;
  std::uint64_t acknowledged_count_ = 0;
  std::uint64_t incomplete_count_ = 0;
  std::uint64_t calls_ = 0;
  std::uint64_t repeated_calls_ = 0;
};

}  // namespace concerto::load
