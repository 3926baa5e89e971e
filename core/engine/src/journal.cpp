#include "journal.hpp"

#include <algorithm>
#include <utility>

#include "text.hpp"

namespace concerto {

void Journal::add(const Gid& gid, Attempt attempt) {
  if (transactions_max_ == 0) return;
  attempt.answer = cut_text(std::move(attempt.answer), answer_bytes_max);
  const auto found = by_gid_.find(gid);
  if (found != by_gid_.end()) {
    entries_.splice(entries_.end(), entries_, found->second);
  } else {
    while (entries_.size() >= transactions_max_) {
      by_gid_.erase(entries_.front().gid);
      entries_.pop_front();
    }
    by_gid_.emplace(gid, entries_.insert(entries_.end(), Entry{gid, {}}));
  }
  attempt.number = tries(gid, attempt.branch_id, attempt.op) + 1;
  std::vector<Attempt>& attempts = entries_.back().attempts;
  if (attempts.size() == attempts_max) attempts.erase(attempts.begin());
  attempts.push_back(std::move(attempt));
}

void Journal::set_next_try(const Gid& gid, WallTime at) {
  if (!has(gid)) return;
  std::vector<Attempt>& attempts = by_gid_.at(gid)->attempts;
  for (auto attempt = attempts.rbegin(); attempt != attempts.rend(); ++attempt) {
    if (attempt->next_try) return;
    if (attempt->outcome != Outcome::success) attempt->next_try = at;
  }
}

std::vector<Gid> Journal::with_error(std::string_view text) const {
  std::vector<Gid> found;
  for (const Entry& entry : entries_) {
    const auto last =
        std::find_if(entry.attempts.rbegin(), entry.attempts.rend(),
                     [](const Attempt& attempt) { return attempt.outcome != Outcome::success; });
    const bool has_text = last != entry.attempts.rend() && last->answer.find(text) != text.npos;
    if (has_text) found.push_back(entry.gid);
  }
  return found;
}

std::uint32_t Journal::tries(const Gid& gid, std::string_view branch_id,
                             std::string_view op) const {
  if (!has(gid)) return 0;
  const std::vector<Attempt>& attempts = by_gid_.at(gid)->attempts;
  for (auto attempt = attempts.rbegin(); attempt != attempts.rend(); ++attempt) {
    const bool is_it = attempt->branch_id == branch_id && (op.empty() || attempt->op == op);
    if (is_it) return attempt->number;
  }
  return 0;
}

std::vector<Attempt> Journal::attempts(const Gid& gid) const {
  if (!has(gid)) return {};
  return by_gid_.at(gid)->attempts;
}

}  // namespace concerto
