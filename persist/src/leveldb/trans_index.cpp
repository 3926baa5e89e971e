#include "trans_index.hpp"

#include <algorithm>
#include <limits>

namespace concerto::persist {

using std::chrono::seconds;

TransFacts facts_of(const Transaction& trans) noexcept {
  constexpr std::int64_t last = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t count =
      std::chrono::floor<seconds>(trans.create_time.time_since_epoch()).count();
  // A time that does not fit counts as unknown.
  return {static_cast<std::uint32_t>(count > 0 && count <= last ? count : 0), trans.type};
}

bool may_match(const ListFilter& filter, const TransFacts& facts) noexcept {
  if (filter.type && facts.type != TransType{} && facts.type != *filter.type) return false;
  if (facts.created == 0) return true;
  const WallTime begin{seconds{facts.created}};
  if (filter.created_from && begin + seconds{1} <= *filter.created_from) return false;
  return !filter.created_to || begin <= *filter.created_to;
}

void keep_newest(std::vector<IndexRef>& refs, std::size_t limit) {
  std::sort(refs.begin(), refs.end(),
            [](const IndexRef& a, const IndexRef& b) { return a.sequence > b.sequence; });
  const auto end = std::unique(refs.begin(), refs.end(), [](const IndexRef& a, const IndexRef& b) {
    return a.sequence == b.sequence;
  });
  refs.erase(end, refs.end());
  if (refs.size() > limit) refs.resize(limit);
}

}  // namespace concerto::persist
