// Saga (protocol page 05, section 4). Step i has its compensation in row 2i and its action in row
// 2i+1.

#include <algorithm>
#include <charconv>
#include <vector>

#include <concerto/base/masked_url.hpp>
#include <concerto/engine/mode.hpp>

namespace concerto {
namespace {

constexpr std::string_view ops[] = {"action", "compensate"};

constexpr std::uint32_t compensate_row(std::size_t step) {
  return static_cast<std::uint32_t>(2 * step);
}
constexpr std::uint32_t action_row(std::size_t step) {
  return static_cast<std::uint32_t>(2 * step + 1);
}

Result<std::uint32_t> step_index(std::string_view text, std::size_t step_count) {
  std::uint32_t index = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (failed != std::errc{} || end != text.data() + text.size() || index >= step_count) {
    return bad_custom_data("orders names step '" + std::string(text) + "', which is none of the " +
                           std::to_string(step_count) + " steps");
  }
  return index;
}

Result<std::vector<std::uint32_t>> predecessors(std::uint32_t step, JsonValue list) {
  if (!list.is(JsonKind::array)) {
    return bad_custom_data("orders of step " + std::to_string(step) + " is not an array");
  }
  std::vector<std::uint32_t> result;
  for (const JsonValue item : list) {
    const auto before = item.whole_number();
    if (!before || *before < 0 || *before >= step) {
      return bad_custom_data("orders of step " + std::to_string(step) +
                             " must name earlier steps, not " + shown_value(item));
    }
    result.push_back(static_cast<std::uint32_t>(*before));
  }
  return result;
}

Result<> read_custom(JsonValue object, std::size_t step_count, CustomData& custom) {
  if (const auto concurrent = object.find("concurrent")) {
    if (!concurrent->is(JsonKind::boolean)) return bad_custom_data("concurrent is not a boolean");
    custom.concurrent = concurrent->boolean();
  }
  const auto orders = object.find("orders");
  if (!orders || orders->is(JsonKind::null)) return ok();
  if (!orders->is(JsonKind::object)) return bad_custom_data("orders is not an object");
  custom.orders.resize(step_count);
  for (const JsonValue list : *orders) {
    CONCERTO_TRY(const auto step, step_index(list.key(), step_count));
    CONCERTO_TRY(custom.orders[step], predecessors(step, list));
  }
  return ok();
}

Result<> expand(TransRequest& request, Transaction& trans) {
  trans.branches.reserve(2 * request.steps.size());
  for (std::size_t step = 0; step < request.steps.size(); ++step) {
    const BranchId id(step_branch_id(step + 1));
    const auto add = [&](const char* op, std::string& url) {
      Branch& branch = trans.branches.emplace_back();
      branch.branch_id = id;
      branch.payload = static_cast<std::uint32_t>(step);
      branch.op = op;
      branch.url = std::move(url);
    };
    add("compensate", request.steps[step].compensate);
    add("action", request.steps[step].action);
  }
  return ok();
}

/// The rows of a saga as steps.
class Steps {
 public:
  explicit Steps(const TransView& view) : view_(view) {}

  std::size_t count() const { return view_.trans.branches.size() / 2; }
  const Branch& action(std::size_t step) const { return view_.trans.branches[action_row(step)]; }
  const Branch& compensation(std::size_t step) const {
    return view_.trans.branches[compensate_row(step)];
  }
  RunState action_run(std::size_t step) const { return view_.runs[action_row(step)]; }
  RunState compensation_run(std::size_t step) const { return view_.runs[compensate_row(step)]; }

  bool succeeded(std::size_t step) const { return action(step).status == BranchStatus::succeed; }

  /// Whether all actions that must come before the action of `step` have succeeded. No action is
  /// called before that, so this also tells which actions may have been called.
  bool may_start(std::size_t step) const {
    if (!view_.custom.concurrent && step > 0 && !succeeded(step - 1)) return false;
    if (view_.custom.orders.empty()) return true;
    const auto& before = view_.custom.orders[step];
    return std::all_of(before.begin(), before.end(),
                       [this](std::uint32_t other) { return succeeded(other); });
  }

  /// Whether the action of `step` may have done something (section 4.2). A failed action may have,
  /// too.
  bool needs_compensation(std::size_t step) const {
    return action(step).status != BranchStatus::prepared || may_start(step);
  }

  bool compensated(std::size_t step) const {
    return !needs_compensation(step) || compensation(step).status == BranchStatus::succeed;
  }

 private:
  const TransView& view_;
};

/// Why the saga must roll back; nullopt while it may go on.
std::optional<std::string> reason_to_abort(const TransView& view, const Steps& steps) {
  if (view.timed_out) return timeout_reason(view);
  for (std::size_t step = 0; step < steps.count(); ++step) {
    if (steps.action(step).status != BranchStatus::failed) continue;
    if (view.failure_text.empty()) return "fail message lost";
    return "url:" + masked_url(steps.action(step).url) +
           " return failed: " + std::string(view.failure_text);
  }
  if (view.retries_exhausted) {
    return "RetryCount is greater than RetryLimit, RetryLimit: " +
           std::to_string(view.trans.options.retry_limit);
  }
  return std::nullopt;
}

Next next_forward(const TransView& view) {
  const Steps steps(view);
  Next next;
  if (auto reason = reason_to_abort(view, steps)) {
    next.change = StatusChange{TransStatus::aborting, std::move(*reason)};
    return next;
  }
  bool done = true;
  for (std::size_t step = 0; step < steps.count(); ++step) {
    if (steps.succeeded(step)) continue;
    done = false;
    if (steps.action_run(step) == RunState::idle && steps.may_start(step)) {
      next.calls.push_back(action_row(step));
    }
    if (!view.custom.concurrent) break;
  }
  if (done) next.change = StatusChange{TransStatus::succeed, {}};
  next.needs_durable_successes = true;
  return next;
}

Next next_backward(const TransView& view) {
  const Steps steps(view);
  Next next;
  const auto& orders = view.custom.orders;
  // Steps whose compensation must wait for that of a later step, which was built on them.
  std::vector<bool> waits(orders.empty() ? 0 : steps.count());
  bool done = true;
  for (std::size_t step = steps.count(); step-- > 0;) {
    if (steps.compensated(step)) continue;
    done = false;
    // An action that still runs could take effect after its compensation.
    const bool ready = steps.action_run(step) != RunState::running &&
                       steps.compensation_run(step) == RunState::idle &&
                       (waits.empty() || !waits[step]);
    if (ready) next.calls.push_back(compensate_row(step));
    if (!orders.empty()) {
      for (const std::uint32_t before : orders[step]) waits[before] = true;
    }
    if (!view.custom.concurrent) break;
  }
  if (done) next.change = StatusChange{TransStatus::failed, {}};
  return next;
}

Next next(const TransView& view) {
  if (view.trans.status == TransStatus::submitted) return next_forward(view);
  if (view.trans.status == TransStatus::aborting) return next_backward(view);
  return {};
}

Effect effect(const Transaction& trans, const Branch& branch, Outcome outcome) {
  if (outcome == Outcome::success) return Effect::succeed;
  if (branch.op != "action") return Effect::retry_later;
  if (outcome == Outcome::failure) return Effect::fail;
  if (trans.options.retry_limit <= 0) return Effect::retry_later;
  return trans.retry_count < trans.options.retry_limit ? Effect::retry_soon : Effect::give_up;
}

}  // namespace

constinit const Mode modes::saga{
    .type = TransType::saga,
    .name = "saga",
    .ops = ops,
    .read_custom = read_custom,
    .expand = expand,
    .rows_per_step = 2,
    .has_custom_concurrent = true,
    .next = next,
    .effect = effect,
    .times_out_in = TransStatus::submitted,
};

}  // namespace concerto
