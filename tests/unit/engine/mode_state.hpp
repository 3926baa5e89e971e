#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/engine/mode.hpp>

namespace concerto::test {

/// Everything that a decision of a mode depends on, for tests that call the functions of a mode
/// directly.
struct ModeState {
  Transaction trans;
  CustomData custom;
  std::vector<RunState> runs;
  RunState query = RunState::idle;
  std::optional<Outcome> query_outcome;
  bool timed_out = false;
  bool delay_over = false;
  bool retries_exhausted = false;
  std::chrono::seconds timeout{7};
  std::string failure_text;

  /// `ops` has the ops of one branch; `statuses` has a letter for the status of each row: P, S or
  /// F.
  ModeState(TransStatus status, const std::vector<std::string>& ops, std::string_view statuses) {
    trans.status = status;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      Branch branch;
      branch.op = ops[i % ops.size()];
      branch.branch_id = BranchId(step_branch_id(i / ops.size() + 1));
      branch.url = branch.op + branch.branch_id.str();
      branch.status = status_of(statuses[i]);
      trans.branches.push_back(std::move(branch));
    }
    runs.resize(trans.branches.size());
  }

  Next next(const Mode& mode) const {
    return mode.next({trans, custom, runs, query, query_outcome, timed_out, delay_over,
                      retries_exhausted, timeout, failure_text});
  }

  static BranchStatus status_of(char letter) {
    if (letter == 'P') return BranchStatus::prepared;
    return letter == 'S' ? BranchStatus::succeed : BranchStatus::failed;
  }
};

/// What a mode wants, as tables write it: `becomes failed: the reason`, `calls 1,3`, `calls 1
/// after a write`, `asks`, `waits 5 s`, `nothing`.
inline std::string text_of(const Next& next) {
  if (next.change) {
    const std::string& reason = next.change->rollback_reason;
    return "becomes " + std::string(to_string(next.change->to)) +
           (reason.empty() ? "" : ": " + reason);
  }
  if (next.delay) return "waits " + std::to_string(next.delay->count()) + " s";
  if (next.ask_application) return "asks";
  if (next.calls.empty()) return "nothing";
  std::string text = "calls ";
  for (std::size_t i = 0; i < next.calls.size(); ++i) {
    text += (i > 0 ? "," : "") + std::to_string(next.calls[i]);
  }
  return text + (next.needs_durable_successes ? " after a write" : "");
}

inline std::string text_of(Effect effect) {
  switch (effect) {
    case Effect::succeed:
      return "succeed";
    case Effect::fail:
      return "fail";
    case Effect::retry_later:
      return "retry later";
    case Effect::retry_soon:
      return "retry soon";
    case Effect::give_up:
      return "give up";
  }
  return "unknown";
}

/// Rows as `01 action a1, 02 action a2`; a status other than prepared follows the URL.
inline std::string text_of(const std::vector<Branch>& branches) {
  std::string text;
  for (const Branch& branch : branches) {
    if (!text.empty()) text += ", ";
    text += branch.branch_id.str() + " " + branch.op + " " + branch.url;
    if (branch.status != BranchStatus::prepared) {
      text += " " + std::string(to_string(branch.status));
    }
  }
  return text;
}

}  // namespace concerto::test
