#include "trouble.hpp"

#include <algorithm>
#include <unordered_set>

#include <concerto/base/common_text.hpp>
#include <concerto/base/masked_url.hpp>

namespace concerto {
namespace {

/// Calls `visit` with the URL of each of these branches until `visit` returns true.
template <class Accepts, class Visit>
void visit_branches(const Transaction& trans, Accepts accepts, Visit visit) {
  for (const Branch& branch : trans.branches) {
    if (accepts(branch) && !branch.url.empty() && visit(branch.url)) return;
  }
}

/// The actions of a saga that were compensated without having succeeded or failed, as after a
/// timeout.
template <class Visit>
void visit_undone(const Transaction& trans, Visit visit) {
  if (trans.type != TransType::saga) return;
  std::unordered_set<std::string_view> undone;
  for (const Branch& branch : trans.branches) {
    if (branch.op == "compensate" && branch.status == BranchStatus::succeed) {
      undone.insert(branch.branch_id.view());
    }
  }
  const auto is_undone = [&undone](const Branch& branch) {
    return branch.op == "action" && branch.status == BranchStatus::prepared &&
           undone.contains(branch.branch_id.view());
  };
  visit_branches(trans, is_undone, visit);
}

template <class Visit>
void visit_next(const Transaction& trans, const Mode& mode, Visit visit) {
  const auto next = next_of(trans, mode);
  if (!next) return;
  for (const std::uint32_t index : next->calls) {
    const std::string& url = trans.branches[index].url;
    if (!url.empty() && visit(url)) return;
  }
  if (next->ask_application && !trans.query_prepared.empty()) visit(trans.query_prepared);
}

template <class Visit>
void visit_trouble(const Transaction& trans, const ModeTable& modes, Visit visit) {
  if (trans.status == TransStatus::succeed) return;
  if (!is_final(trans.status)) {
    if (const Mode* mode = modes.find(trans.type)) visit_next(trans, *mode, visit);
    return;
  }
  const auto has_failed = [](const Branch& branch) {
    return branch.status == BranchStatus::failed;
  };
  if (std::ranges::any_of(trans.branches, has_failed)) {
    visit_branches(trans, has_failed, visit);
  } else {
    visit_undone(trans, visit);
  }
}

}  // namespace

std::optional<Next> next_of(const Transaction& trans, const Mode& mode, bool timed_out) {
  const auto custom = parse_custom_data(mode, trans.custom_data, trans);
  if (!custom) return std::nullopt;
  const std::vector<RunState> runs(trans.branches.size(), RunState::idle);
  const bool delay_over = true;
  return mode.next({trans,
                    *custom,
                    runs,
                    RunState::idle,
                    std::nullopt,
                    timed_out && trans.status == TransStatus::prepared,
                    delay_over,
                    false,
                    std::chrono::seconds::zero(),
                    {}});
}

std::vector<std::uint32_t> next_rows(const Transaction& trans, const Mode& mode) {
  const auto next = next_of(trans, mode);
  if (!next) return {};
  return {next->calls.begin(), next->calls.end()};
}

std::vector<std::string> trouble_urls(const Transaction& trans, const ModeTable& modes) {
  std::vector<std::string> urls;
  visit_trouble(trans, modes, [&](const std::string& called) {
    std::string url = masked_url(called);
    if (std::find(urls.begin(), urls.end(), url) == urls.end()) urls.push_back(std::move(url));
    return urls.size() == trouble_urls_max;
  });
  return urls;
}

bool has_trouble_at(const Transaction& trans, const ModeTable& modes, std::string_view text) {
  bool found = false;
  visit_trouble(trans, modes, [&](const std::string& url) {
    return found = has_text(masked_url(url), trans.gid.view(), text);
  });
  return found;
}

}  // namespace concerto
