#include "reader.hpp"

#include <algorithm>

#include "../preconditions.hpp"

namespace concerto::persist {
namespace {

/// A read starts over if retention moves or drops what it reads.
constexpr int attempts_max = 4;
/// A scan of the unfinished transactions takes so many at a time; each time it looks through all of
/// them.
constexpr std::size_t scanned_at_once = 65536;

bool is_nothing(const Chain& chain) {
  return chain.records.empty() && !chain.rest;
}

}  // namespace

Result<QuickLoad> StoreReader::load_quickly(const Gid& gid) const {
  QuickLoad quick;
  CONCERTO_TRY(const auto found, core_.ledger.find(fingerprint(core_.key, gid.view())));
  if (!found.in_memory) {
    quick.done = found.maybe.empty();
  } else if (!found.chain.rest) {
    quick.done = true;
    if (is_nothing(found.chain)) return quick;
    CONCERTO_TRY(quick.trans, build(found.chain));
  }
  return quick;
}

Result<std::optional<Transaction>> StoreReader::load(const Gid& gid) const {
  core_.probe.disk_reads.fetch_add(1, std::memory_order_relaxed);
  GroupReader groups(core_.segments);
  return load(fingerprint(core_.key, gid.view()), groups);
}

Result<std::optional<Transaction>> StoreReader::load(const Fingerprint& gid,
                                                     GroupReader& groups) const {
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    CONCERTO_TRY(auto found, core_.ledger.find(gid));
    for (const auto& segment : found.maybe) {
      CONCERTO_TRY(const auto places, segment->find_finished(gid));
      if (!places) continue;
      found.chain.rest = places->last;
      break;
    }
    if (is_nothing(found.chain)) return std::optional<Transaction>{};
    const Result<> whole = complete(found.chain, groups);
    if (!whole && whole.error().code == EngineErrc::trans_not_found) continue;
    CONCERTO_CHECK(whole);
    CONCERTO_TRY(Transaction trans, build(found.chain));
    return std::optional{std::move(trans)};
  }
  return std::optional<Transaction>{};
}

Result<UnfinishedPage> StoreReader::scan_unfinished(std::uint64_t from, std::size_t limit) {
  const MutexLock lock(scan_mutex_);
  if (from == 0) {
    scan_.clear();
    scan_end_ = core_.ledger.last_sequence();
  }
  auto at = std::lower_bound(scan_.begin(), scan_.end(), from,
                             [](const Ledger::UnfinishedRef& ref, std::uint64_t sequence) {
                               return ref.sequence < sequence;
                             });
  UnfinishedPage page;
  GroupReader groups(core_.segments);
  for (;; ++at) {
    if (at == scan_.end()) {
      const std::uint64_t next = scan_.empty() ? from : std::max(from, scan_.back().sequence + 1);
      scan_ = core_.ledger.unfinished_refs(next, scan_end_, scanned_at_once);
      if (scan_.empty()) return page;
      at = scan_.begin();
    }
    if (page.transactions.size() == std::max<std::size_t>(limit, 1)) {
      page.next = at->sequence;
      return page;
    }
    const auto gid = core_.ledger.fingerprint_of(*at);
    if (!gid) continue;
    CONCERTO_TRY(const auto trans, load(*gid, groups));
    if (!trans || is_final(trans->status)) continue;
    core_.ledger.note_facts(*at, facts_of(*trans));
    page.transactions.push_back(unfinished_of(*trans));
  }
}

}  // namespace concerto::persist
