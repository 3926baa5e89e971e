#include "call_ledger.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto::load {

CallLedger::CallLedger(std::string prefix, const Required& required, Purposes purposes)
    : prefix_(std::move(prefix) + "-"),
      purposes_(purposes),
      to_succeed_(bits_of(required.to_succeed)),
      to_roll_back_(bits_of(required.to_roll_back)) {}

CallLedger::State CallLedger::bits_of(const std::vector<ExpectedCall>& calls) {
  State bits = 0;
  for (const ExpectedCall& call : calls) {
    const auto at = std::ranges::find(known_, call) - known_.begin();
    if (at == std::ssize(known_)) known_.push_back(call);
    CONCERTO_ASSERT(known_.size() <= calls_max);
    bits = static_cast<State>(bits | 1U << at);
  }
  return bits;
}

std::uint64_t CallLedger::begin() {
  states_.push_back(0);
  return states_.size() - 1;
}

std::string CallLedger::gid(std::uint64_t number) const {
  const std::string digits = std::to_string(number);
  return prefix_ + std::string(number_chars - std::min(number_chars, digits.size()), '0') + digits;
}

bool CallLedger::note(std::string_view gid, std::string_view branch_id, std::string_view op) {
  const auto number = number_of(gid);
  if (!number) return false;
  const auto call = std::ranges::find_if(known_, [&](const ExpectedCall& known) {
    return known.branch_id == branch_id && known.op == op;
  });
  const auto bit = static_cast<State>(1U << (call - known_.begin()));
  if (call == known_.end() || (bit & required(*number)) == 0) {
    set(*number, heard_another);
    return false;
  }
  ++calls_;
  if ((states_[*number] & bit) != 0) ++repeated_calls_;
  set(*number, bit);
  return true;
}

bool CallLedger::note_error(std::uint64_t number) {
  const bool is_first = (states_[number] & had_error) == 0;
  set(number, had_error);
  return is_first;
}

void CallLedger::acknowledge(std::uint64_t number) {
  if (acknowledged(number)) return;
  ++acknowledged_count_;
  set(number, was_acknowledged);
}

std::string CallLedger::describe(std::uint64_t number) const {
  if ((states_[number] & heard_another) != 0) return "it has called what it must not";
  std::string missing;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if ((required(number) & ~states_[number] & (1U << i)) == 0) continue;
    missing += (missing.empty() ? "" : ", ") + known_[i].op + " " + known_[i].branch_id;
  }
  return missing.empty() ? "all calls came" : "calls that did not come: " + missing;
}

std::optional<std::uint64_t> CallLedger::number_of(std::string_view gid) const {
  if (!gid.starts_with(prefix_)) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = gid.data() + gid.size();
  const auto read = std::from_chars(gid.data() + prefix_.size(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number >= begun()) return std::nullopt;
  return number;
}

void CallLedger::set(std::uint64_t number, State bits) {
  State& state = states_[number];
  const bool was_open = is_open(number, state);
  state = static_cast<State>(state | bits);
  if (is_open(number, state) && !was_open) ++incomplete_count_;
  if (!is_open(number, state) && was_open) --incomplete_count_;
}

}  // namespace concerto::load
