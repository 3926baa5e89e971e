#include "listing.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "../preconditions.hpp"
#include "log_listing.hpp"
#include "reader.hpp"

namespace concerto::persist {
namespace {

constexpr StatusSet unfinished{TransStatus::prepared, TransStatus::submitted,
                               TransStatus::aborting};

/// The unfinished and the failed transactions: a walk over the newest ones of both indexes. Its
/// position is `i.<sequence>`, with the sequence of the last transaction that was looked at.
class IndexListing final : public Listing {
 public:
  IndexListing(const StoreReader& reader, StoreCore& core, ListFilter filter, std::size_t limit,
               std::uint64_t before)
      : Listing(reader, core, std::move(filter), limit),
        before_(before),
        taken_at_once_(limit + 1) {}

  Result<bool> step() override {
    for (std::size_t examined = 0; examined < examined_per_step; ++examined) {
      if (next_ == refs_.size() && is_last_) return true;
      if (is_full()) {
        page_.next_position = "i." + std::to_string(before_);
        return true;
      }
      if (next_ == refs_.size()) {
        CONCERTO_CHECK(take_refs());
        if (refs_.empty() && !is_last_) return false;  // few match; another step looks further
        continue;
      }
      const IndexRef ref = refs_[next_++];
      before_ = ref.sequence;
      CONCERTO_CHECK(show(ref.fingerprint));
    }
    return false;
  }

 private:
  // The sources are read in the order in which a transaction moves through them: unfinished ones,
  // failed ones in memory, failed ones in directories. So a transaction that moves meanwhile is
  // found.
  Result<> take_refs() {
    const std::size_t limit = taken_at_once_;
    before_ = std::min(before_, next_before_);
    refs_.clear();
    next_ = 0;
    if (filter_.statuses.has_any_of(unfinished)) {
      add(core_.ledger.unfinished_refs(filter_, before_, limit));
    }
    std::uint64_t unseen = 0;
    if (filter_.statuses.contains(TransStatus::failed)) {
      add(core_.ledger.failed_refs(filter_, before_, limit));
      CONCERTO_TRY(unseen, add_from_directories());
    }
    // The list goes from new to old. So entries older than the newest one that was not looked at
    // must wait for the next time.
    std::erase_if(refs_, [unseen](const IndexRef& ref) { return ref.sequence <= unseen; });
    is_last_ = unseen == 0 && refs_.size() < limit;
    next_before_ = refs_.size() < limit ? unseen + 1 : none_before;
    // Each time costs a look at all unfinished transactions, so the next time takes more.
    taken_at_once_ = std::min(8 * limit, refs_max);
    return ok();
  }

  /// Returns the newest sequence that was not looked at, or 0 if all were looked at.
  Result<std::uint64_t> add_from_directories() {
    std::uint64_t unseen = 0;
    std::size_t looks = looks_max;
    const SegmentSet::Segments segments = core_.segments.all();
    for (auto segment = segments.rbegin(); segment != segments.rend(); ++segment) {
      const bool is_enough = refs_.size() >= taken_at_once_;
      const std::uint64_t after = std::max(unseen, is_enough ? refs_.back().sequence : 0);
      looks = std::max(looks, looks_min);
      CONCERTO_TRY(const auto some,
                   (*segment)->failed_refs(filter_, before_, after, taken_at_once_, looks));
      add(some.refs);
      unseen = std::max(unseen, some.unseen);
    }
    return unseen;
  }

  /// Adds `some` to `refs_` and keeps the newest.
  void add(const std::vector<IndexRef>& some) {
    if (some.empty()) return;
    refs_.insert(refs_.end(), some.begin(), some.end());
    keep_newest(refs_, taken_at_once_);
  }

  static constexpr std::size_t refs_max = 65536;
  /// Entries of directories that are looked at each time. Of each directory some are looked at, so
  /// that the list comes to its end.
  static constexpr std::size_t looks_max = 20'000;
  static constexpr std::size_t looks_min = 100;
  static constexpr std::uint64_t none_before = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t before_;  ///< the sequence that was looked at last
  std::size_t taken_at_once_;
  std::vector<IndexRef> refs_;
  std::size_t next_ = 0;
  std::uint64_t next_before_ = none_before;  ///< where the next refs begin, if not at `before_`
  bool is_last_ = false;
};

}  // namespace

Listing::Listing(const StoreReader& reader, StoreCore& core, ListFilter filter, std::size_t limit)
    : reader_(reader),
      core_(core),
      groups_(core.segments),
      filter_(std::move(filter)),
      limit_(limit) {}

Result<> Listing::show(const Fingerprint& gid) {
  CONCERTO_TRY(const auto trans, reader_.load(gid, groups_));
  if (!trans || !matches(filter_, *trans)) return ok();
  page_.transactions.push_back(without_branches(*trans));
  page_bytes_ += listed_bytes(page_.transactions.back());
  return ok();
}

Result<std::unique_ptr<Listing>> Listing::begin(const StoreReader& reader, StoreCore& core,
                                                ListFilter filter, const std::string& position,
                                                std::size_t limit) {
  using Started = std::unique_ptr<Listing>;
  limit = std::max<std::size_t>(limit, 1);
  const bool is_indexed =
      !filter.statuses.empty() && !filter.statuses.contains(TransStatus::succeed);
  if (!is_indexed) return begin_log_listing(reader, core, std::move(filter), position, limit);
  std::uint64_t before = std::numeric_limits<std::uint64_t>::max();
  if (!position.empty()) {
    const auto sequence = parse_number<std::uint64_t>(
        position.starts_with("i.") ? std::string_view(position).substr(2) : std::string_view());
    if (!sequence) return foreign_position(position);
    before = *sequence;
  }
  return Started(std::make_unique<IndexListing>(reader, core, std::move(filter), limit, before));
}

}  // namespace concerto::persist
