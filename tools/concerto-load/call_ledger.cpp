#include "call_ledger.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto::load {

CallLedger::CallLedger(std::string prefix, std::vector<ExpectedCall> required)
    : prefix_(std::move(prefix) + "-"),
      required_(std::move(required)),
      all_required_(static_cast<State>((1U << required_.size()) - 1)) {
  CONCERTO_ASSERT(required_.size() <= calls_max);
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
  const auto call = std::ranges::find_if(required_, [&](const ExpectedCall& required) {
    return required.branch_id == branch_id && required.op == op;
  });
  if (call == required_.end()) {
    set(*number, heard_another);
    return false;
  }
  const auto bit = static_cast<State>(1U << (call - required_.begin()));
  ++calls_;
  if ((states_[*number] & bit) != 0) ++repeated_calls_;
  set(*number, bit);
  return true;
}

void CallLedger::acknowledge(std::uint64_t number) {
  if (acknowledged(number)) return;
  ++acknowledged_count_;
  set(number, was_acknowledged);
}

std::string CallLedger::describe(std::uint64_t number) const {
  if ((states_[number] & heard_another) != 0) return "it has called what it must not";
  std::string missing;
  for (std::size_t i = 0; i < required_.size(); ++i) {
    if ((states_[number] & (1U << i)) != 0) continue;
    missing += (missing.empty() ? "" : ", ") + required_[i].op + " " + required_[i].branch_id;
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
  const auto is_open = [this](State now) {
    return (now & was_acknowledged) != 0 && !is_complete(now);
  };
  const bool was_open = is_open(state);
  state = static_cast<State>(state | bits);
  if (is_open(state) && !was_open) ++incomplete_count_;
  if (!is_open(state) && was_open) --incomplete_count_;
}

}  // namespace concerto::load
