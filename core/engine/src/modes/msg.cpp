// Two-phase message (protocol page 05, section 3): forward only, retried until it is done.

#include <algorithm>
#include <cctype>
#include <limits>

#include <concerto/engine/mode.hpp>

#include "topics.hpp"

namespace concerto {
namespace {

/// `msg` is the op of the call to the application.
constexpr std::string_view ops[] = {"action", "msg"};

constexpr std::int64_t delay_seconds_max = std::numeric_limits<std::int32_t>::max();

bool is_delay(std::string_view key) {
  constexpr std::string_view name = "delay";
  return std::equal(key.begin(), key.end(), name.begin(), name.end(), [](char left, char right) {
    return std::tolower(static_cast<unsigned char>(left)) == right;
  });
}

Result<> read_custom(JsonValue object, std::size_t /*step_count*/, CustomData& custom) {
  for (const JsonValue member : object) {
    if (!is_delay(member.key())) continue;
    const auto delay = member.whole_number();
    if (!delay || *delay < 0 || *delay > delay_seconds_max) {
      return bad_custom_data("delay must be a number of seconds from 0 to " +
                             std::to_string(delay_seconds_max) + ", not " + shown_value(member));
    }
    custom.delay = std::chrono::seconds(*delay);
  }
  return ok();
}

/// Makes a branch for each step, or for each subscriber of the topic that the step names.
Result<> expand(TransRequest& request, Transaction& trans) {
  trans.branches.reserve(request.steps.size());
  for (std::size_t step = 0; step < request.steps.size(); ++step) {
    std::string& action = request.steps[step].action;
    std::string id = step_branch_id(step + 1);
    const auto add = [&](std::string branch_id, std::string url) {
      Branch& branch = trans.branches.emplace_back();
      branch.branch_id = BranchId(std::move(branch_id));
      branch.op = "action";
      branch.url = std::move(url);
      branch.payload = static_cast<std::uint32_t>(step);
    };
    const auto topic = topic_of(action);
    if (!topic) {
      add(std::move(id), std::move(action));
      continue;
    }
    const auto found = request.topics.find(*topic);
    if (found == request.topics.end() || found->second.empty()) {
      return make_error(Errc::invalid_request, "topic not found");
    }
    const auto& urls = found->second;
    if (trans.branches.size() + urls.size() > branches_max) {
      return make_error(Errc::invalid_request, "steps and topics make more than " +
                                                   std::to_string(branches_max) + " branches");
    }
    for (std::size_t i = 0; i < urls.size(); ++i) {
      add(urls.size() == 1 ? id : id + "-" + step_branch_id(i + 1), urls[i]);
    }
  }
  return ok();
}

Next next_prepared(const TransView& view) {
  Next next;
  if (!view.timed_out) return next;
  if (view.query == RunState::idle) {
    next.ask_application = true;
  } else if (view.query_outcome == Outcome::success) {
    next.change = StatusChange{TransStatus::submitted, {}};
  } else if (view.query_outcome == Outcome::failure) {
    next.change = StatusChange{TransStatus::failed, {}};
  }
  return next;
}

Next next_submitted(const TransView& view) {
  Next next;
  if (view.custom.delay.count() > 0 && !view.delay_over) {
    next.delay = view.custom.delay;
    return next;
  }
  const auto& branches = view.trans.branches;
  bool done = true;
  for (std::uint32_t i = 0; i < branches.size(); ++i) {
    if (branches[i].status == BranchStatus::succeed) continue;
    done = false;
    if (view.runs[i] == RunState::idle) next.calls.push_back(i);
    if (!view.trans.options.concurrent) break;
  }
  if (done) next.change = StatusChange{TransStatus::succeed, {}};
  return next;
}

Next next(const TransView& view) {
  if (view.trans.status == TransStatus::prepared) return next_prepared(view);
  if (view.trans.status == TransStatus::submitted) return next_submitted(view);
  return {};
}

Effect effect(const Transaction&, const Branch&, Outcome outcome) {
  return outcome == Outcome::success ? Effect::succeed : Effect::retry_later;
}

}  // namespace

constinit const Mode modes::msg{
    .type = TransType::msg,
    .name = "msg",
    .ops = ops,
    .read_custom = read_custom,
    .expand = expand,
    .next = next,
    .effect = effect,
    .times_out_in = TransStatus::prepared,
    .has_default_timeout = true,
    .reports = Reports::errors,
    .application_call = ApplicationCall::asks,
    .aborts_to = TransStatus::failed,
};

}  // namespace concerto
