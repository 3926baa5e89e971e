#include "trouble.hpp"

#include <algorithm>

#include <concerto/base/masked_url.hpp>

namespace concerto {
namespace {

/// Calls `visit` with each URL until `visit` returns true.
template <class Visit>
bool visit_branches(const Transaction& trans, BranchStatus status, Visit visit) {
  return std::any_of(trans.branches.begin(), trans.branches.end(), [&](const Branch& branch) {
    return branch.status == status && !branch.url.empty() && visit(branch.url);
  });
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
  const bool any_failed =
      std::any_of(trans.branches.begin(), trans.branches.end(),
                  [](const Branch& branch) { return branch.status == BranchStatus::failed; });
  visit_branches(trans, any_failed ? BranchStatus::failed : BranchStatus::prepared, visit);
}

}  // namespace

std::optional<Next> next_of(const Transaction& trans, const Mode& mode) {
  const auto custom = parse_custom_data(mode, trans.custom_data, trans);
  if (!custom) return std::nullopt;
  const std::vector<RunState> runs(trans.branches.size(), RunState::idle);
  // A prepared transaction waits only after its timeout.
  const bool timed_out = trans.status == TransStatus::prepared && trans.waits;
  const bool delay_over = true;
  return mode.next({trans,
                    *custom,
                    runs,
                    RunState::idle,
                    std::nullopt,
                    timed_out,
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
    return found = masked_url(url).find(text) != std::string::npos;
  });
  return found;
}

}  // namespace concerto
