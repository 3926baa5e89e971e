#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/store.hpp>

#include "../kv_table.hpp"
#include "chain.hpp"
#include "commit_request.hpp"
#include "finished_table.hpp"
#include "group_builder.hpp"
#include "recent_groups.hpp"
#include "segment_set.hpp"
#include "unfinished_table.hpp"

namespace concerto::persist {

/// What the store knows in memory: unfinished transactions, those finished since the last
/// checkpoint, key-value records, the newest groups. It decides what a change does.
///
/// Changes (order, take_group, written, replay) come from one thread, the committer's, or the one
/// that opens the store; all other functions are thread-safe and short. Changes see everything
/// ordered; reads see what is durable, and progress ordered behind it.
class Ledger {
 public:
  using SegmentRef = std::shared_ptr<Segment>;

  Ledger(SegmentSet& segments, const FingerprintKey& key, std::size_t recent_bytes_max);

  // ---- Changes.

  /// Checks a change against everything ordered before it and adds its record to the group. After
  /// an error nothing has changed.
  Result<> order(CommitRequest& request, SteadyTime now);

  bool group_full() const noexcept { return builder_.full(); }
  std::optional<SteadyTime> group_due() const noexcept { return builder_.due(); }
  struct Group {
    std::uint64_t number;
    std::shared_ptr<const std::string> value;
  };
  /// The gathered group, which is about to be written; then `written` when that has succeeded.
  Group take_group();
  void written();

  // ---- Recovery, before any change. `begin_at` last: where the log goes on.

  void restore_unfinished(const UnfinishedEntry& entry);
  void restore_moved(const Fingerprint& fingerprint, std::uint64_t sequence);
  /// A failed one that is in its segment's directory and not in the index there.
  void restore_failed(const FailedEntry& entry);
  void restore_kv(KvRecord record);
  void restore_sequence(std::uint64_t last_sequence);
  /// Errors: store_damaged.
  Result<> replay(const Place& place, const RecordView& record);
  void begin_at(std::uint64_t next_group);

  // ---- Reads.

  /// How far the records of a gid can be shown from memory, or where to look for them.
  struct Found {
    bool in_memory = false;         ///< `chain` is the transaction's, complete or not
    Chain chain;                    ///< no records and no rest: nothing is visible yet
    std::vector<SegmentRef> maybe;  ///< else: its directory may know the gid; newest first
  };
  /// Errors: store_damaged.
  Result<Found> find(const Fingerprint& fingerprint) const;
  /// The chain of a transaction with everything ordered, if it is unfinished.
  Result<std::optional<Chain>> find_ordered(const Fingerprint& fingerprint) const;

  std::uint64_t durable_group() const;
  std::uint64_t last_sequence() const;
  std::size_t unfinished_count() const;
  std::size_t unfinished_bytes() const;

  /// An unfinished transaction of a scan.
  struct UnfinishedRef {
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  /// The first `limit` unfinished ones by sequence, of those from `from` to `to`. Takes memory for
  /// about twice as many, however many there are.
  std::vector<UnfinishedRef> unfinished_refs(std::uint64_t from, std::uint64_t to,
                                             std::size_t limit) const;
  /// Absent once it has finished.
  std::optional<Fingerprint> fingerprint_of(const UnfinishedRef& ref) const;
  /// What was found of an unfinished transaction when it was read.
  void note_facts(const UnfinishedRef& ref, const TransFacts& facts);

  /// The newest `limit` of the unfinished ones that the filter may select, with a sequence below
  /// `before`. Takes memory for about twice as many, however many there are.
  std::vector<IndexRef> unfinished_refs(const ListFilter& filter, std::uint64_t before,
                                        std::size_t limit) const;
  /// Likewise of those that have failed and are not in their directories yet.
  std::vector<IndexRef> failed_refs(const ListFilter& filter, std::uint64_t before,
                                    std::size_t limit) const;
  /// Unfinished ones that began before `first_before` (a group), oldest first.
  std::vector<Fingerprint> unfinished_before(std::uint64_t first_before) const;

  struct MovedRef {
    std::uint64_t sequence;
    Fingerprint fingerprint;
  };
  /// Transactions whose submit record is gone, with a sequence below `before`, newest first.
  std::vector<MovedRef> moved_refs(std::uint64_t before, std::size_t limit) const;

  std::vector<KvRecord> find_kv(const std::string& cat, const std::string& key) const;
  KvPage scan_kv(const std::string& cat, const std::string& position, std::size_t limit) const;

  // ---- Checkpoints and retention, from the maintenance thread.

  /// By sequence.
  using FailedTable = std::map<std::uint64_t, FailedEntry>;
  struct Checkpoint {
    UnfinishedEnd end;
    std::vector<KvRecord> kv;
    const FinishedTable* finished;  ///< to be written to the directories
    const FailedTable* failed;      ///< likewise, to their indexes
  };
  /// From now on finished transactions gather anew; those before are still found here until
  /// `directories_written`.
  Checkpoint begin_checkpoint();
  /// Unfinished ones of the next slots; `slot` moves on, and reaches `end` at the end.
  std::vector<UnfinishedEntry> unfinished_slots(std::size_t& slot, bool& end) const;
  void directories_written();

  /// The segment is gone: nothing that began in it is known any more.
  void forget_before(std::uint64_t first_group, std::uint64_t first_sequence);

 private:
  struct Finishing {
    Fingerprint fingerprint;
    WallTime at;
  };
  struct KvEffect {
    bool erased;
    KvRecord record;
  };

  Result<> order_create(CommitRequest& request, SteadyTime now);
  Result<> order_update(CommitRequest& request, SteadyTime now);
  Result<> order_after_end(CommitRequest& request, SteadyTime now);
  Result<> order_move(CommitRequest& request, SteadyTime now);
  Result<> order_kv(CommitRequest& request, SteadyTime now);
  Result<> check_branches(const UnfinishedEntry& entry, const UpdateTrans& update) const;
  Result<std::optional<FinishedPlaces>> find_finished(const Fingerprint& fingerprint) const;

  /// Calls `visit` with each unfinished entry and its slot; lets go of the lock now and then.
  template <class Visit>
  void for_each_unfinished(Visit visit) const;
  /// Erases entries with sequences below `before`; lets go of the lock after `step` of them.
  template <class Table, class Predicate>
  void erase_in_steps(Table* table, std::uint64_t before, std::size_t step, Predicate predicate);

  const FinishedPlaces* pending(const Fingerprint& fingerprint) const CONCERTO_REQUIRES(mutex_);
  Result<Chain> walk(Place last, bool only_durable) const CONCERTO_REQUIRES(mutex_);
  Result<std::optional<ChainRecord>> in_memory(const Place& place) const CONCERTO_REQUIRES(mutex_);
  void finish(const UnfinishedEntry& entry, WallTime at) CONCERTO_REQUIRES(mutex_);
  void note_moved(std::uint64_t sequence, const Fingerprint& fingerprint, const Place& first)
      CONCERTO_REQUIRES(mutex_);

  // Nobody else has the ledger yet when these run, some of which read the disk.
  Result<> replay_update(const Place& place, const RecordView& record) CONCERTO_NOT_CHECKED;
  Result<> replay_after_end(const Place& place, const RecordView& record, const Fingerprint& gid);
  Result<> replay_kv(const Place& place, const RecordView& record) CONCERTO_NOT_CHECKED;
  Result<> replay_whole(const Place& place, const RecordView& record) CONCERTO_NOT_CHECKED;

  SegmentSet& segments_;
  const FingerprintKey key_;
  mutable Mutex mutex_;
  UnfinishedTable unfinished_ CONCERTO_GUARDED_BY(mutex_);
  FinishedTable finished_ CONCERTO_GUARDED_BY(mutex_);  ///< since the last checkpoint began
  /// Before it, while the directories are written.
  FinishedTable flushing_ CONCERTO_GUARDED_BY(mutex_);
  FailedTable failed_ CONCERTO_GUARDED_BY(mutex_);  ///< of the finished ones those that failed
  FailedTable failed_flushing_ CONCERTO_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Fingerprint> moved_ CONCERTO_GUARDED_BY(mutex_);
  std::uint64_t last_sequence_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::uint64_t durable_group_ CONCERTO_GUARDED_BY(mutex_) = 0;

  RecentGroups recent_ CONCERTO_GUARDED_BY(mutex_);
  // Of the thread that changes. It holds the lock while it adds to the group, which others read
  // under the lock; the rest takes effect when the group is written.
  GroupBuilder builder_{1};
  std::vector<Finishing> finishing_;
  boost::unordered_flat_map<Fingerprint, FinishedPlaces, FinishedTable::Hash> changed_;

  KvTable kv_ CONCERTO_GUARDED_BY(mutex_);          ///< with everything ordered
  KvTable durable_kv_ CONCERTO_GUARDED_BY(mutex_);  ///< what reads see
  std::vector<KvEffect> kv_effects_;                ///< of the thread that changes, likewise
  std::set<std::pair<std::string, std::string>> erased_in_replay_;  ///< category and key
};

}  // namespace concerto::persist
