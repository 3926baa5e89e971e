#include "journal.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/common_text.hpp>

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
    by_gid_.emplace(gid, entries_.insert(entries_.end(), Entry{gid, {}, {}}));
  }
  Entry& entry = entries_.back();
  CONCERTO_ASSERT(entry.gid == gid && by_gid_.size() == entries_.size());
  attempt.number = last_number(entry, attempt.branch_id, attempt.op) + 1;
  if (entry.attempts.size() == attempts_max) drop_oldest(entry);
  entry.attempts.push_back(std::move(attempt));
}

/// Removes the oldest attempt. If the journal has no later attempt of the row, the number is kept.
void Journal::drop_oldest(Entry& entry) {
  Attempt oldest = std::move(entry.attempts.front());
  entry.attempts.erase(entry.attempts.begin());
  const auto is_of_row = [&](const auto& other) {
    return other.branch_id == oldest.branch_id && other.op == oldest.op;
  };
  std::erase_if(entry.numbers, is_of_row);
  if (std::any_of(entry.attempts.begin(), entry.attempts.end(), is_of_row)) return;
  if (entry.numbers.size() == numbers_max) entry.numbers.erase(entry.numbers.begin());
  entry.numbers.push_back({std::move(oldest.branch_id), std::move(oldest.op), oldest.number});
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
    const Attempt* const last = last_error(entry);
    if (last == nullptr) continue;
    if (has_text(last->answer, entry.gid.view(), text)) found.push_back(entry.gid);
  }
  return found;
}

std::unordered_map<Gid, std::string> Journal::last_errors() const {
  std::unordered_map<Gid, std::string> found;
  for (const Entry& entry : entries_) {
    if (const Attempt* const last = last_error(entry)) found.emplace(entry.gid, last->answer);
  }
  return found;
}

const Attempt* Journal::last_error(const Entry& entry) {
  const auto last =
      std::find_if(entry.attempts.rbegin(), entry.attempts.rend(),
                   [](const Attempt& attempt) { return attempt.outcome != Outcome::success; });
  return last == entry.attempts.rend() ? nullptr : &*last;
}

std::uint32_t Journal::tries(const Gid& gid, std::string_view branch_id,
                             std::string_view op) const {
  return has(gid) ? last_number(*by_gid_.at(gid), branch_id, op) : 0;
}

std::uint32_t Journal::last_number(const Entry& entry, std::string_view branch_id,
                                   std::string_view op) {
  const auto is_of_row = [&](const auto& other) {
    return other.branch_id == branch_id && (op.empty() || other.op == op);
  };
  const auto& [gid, attempts, numbers] = entry;
  const auto attempt = std::find_if(attempts.rbegin(), attempts.rend(), is_of_row);
  if (attempt != attempts.rend()) return attempt->number;
  const auto number = std::find_if(numbers.rbegin(), numbers.rend(), is_of_row);
  return number == numbers.rend() ? 0 : number->number;
}

std::vector<Attempt> Journal::attempts(const Gid& gid) const {
  if (!has(gid)) return {};
  return by_gid_.at(gid)->attempts;
}

}  // namespace concerto
