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
#include "finished_table.hpp"
#include "log_request.hpp"
#include "recent_groups.hpp"
#include "segment_set.hpp"
#include "unfinished_table.hpp"

namespace concerto::persist {

/// What the store knows in memory: the unfinished transactions, the transactions that have finished
/// since the last checkpoint, the key-value records, and the newest groups. The ledger decides what
/// a change does, and has the bytes of the group that is gathered.
///
/// The functions for changes (order, take_group, written, replay) are called by one thread: the
/// thread that opens the store, then the committer's. All other functions are thread-safe and
/// short. A change sees everything that was ordered before. A read sees what is durable, and the
/// progress that was ordered after it.
class Ledger {
 public:
  using SegmentRef = std::shared_ptr<Segment>;

  Ledger(SegmentSet& segments, const FingerprintKey& key, std::size_t recent_bytes_max);

  // ---- Changes.

  /// Checks a change against everything that was ordered before, and adds its record to the group.
  /// Returns the size of the group in bytes. After an error nothing has changed.
  Result<std::size_t> order(LogRequest& request);

  struct Group {
    std::uint64_t number;
    std::shared_ptr<const std::string> value;
  };
  /// Ends the gathered group, which the caller writes now; the next group begins.
  Group take_group();
  /// The group that was taken last is durable.
  void written();

  // ---- Recovery, before any change. The last call is `begin_at`, with the place where the log
  // goes on.

  void restore_unfinished(const UnfinishedEntry& entry);
  void restore_moved(const Fingerprint& fingerprint, std::uint64_t sequence);
  /// A failed transaction that is in its segment's directory, but not in the index there.
  void restore_failed(const FailedEntry& entry);
  void restore_kv(KvRecord record);
  void restore_sequence(std::uint64_t last_sequence);
  /// Errors: store_damaged.
  Result<> replay(const Place& place, const RecordView& record);
  void begin_at(std::uint64_t next_group);

  // ---- Reads.

  /// Which records of a gid memory has, or where to look for them.
  struct Found {
    bool in_memory = false;  ///< `chain` is the transaction's, whether complete or not
    Chain chain;             ///< without records and rest, nothing is visible yet
    /// If memory has none: the segments whose directory may know the gid, newest first.
    std::vector<SegmentRef> maybe;
  };
  /// Errors: store_damaged.
  Result<Found> find(const Fingerprint& fingerprint) const;
  /// The chain of an unfinished transaction with every ordered record. Absent if it is not
  /// unfinished.
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
  /// The first `limit` unfinished transactions with sequences from `from` to `to`, by sequence.
  /// Takes memory for about twice the limit, however many transactions there are.
  std::vector<UnfinishedRef> unfinished_refs(std::uint64_t from, std::uint64_t to,
                                             std::size_t limit) const;
  /// Absent once the transaction has finished.
  std::optional<Fingerprint> fingerprint_of(const UnfinishedRef& ref) const;
  /// Keeps what was found in an unfinished transaction when it was read.
  void note_facts(const UnfinishedRef& ref, const TransFacts& facts);

  /// The newest `limit` unfinished transactions that the filter may select, with a sequence below
  /// `before`. Takes memory for about twice the limit, however many transactions there are.
  std::vector<IndexRef> unfinished_refs(const ListFilter& filter, std::uint64_t before,
                                        std::size_t limit) const;
  /// Likewise of failed transactions that are not in their directories yet.
  std::vector<IndexRef> failed_refs(const ListFilter& filter, std::uint64_t before,
                                    std::size_t limit) const;
  /// Unfinished transactions that began before the group `first_before`, oldest first.
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

  /// Failed transactions by sequence.
  using FailedTable = std::map<std::uint64_t, FailedEntry>;
  struct Checkpoint {
    UnfinishedEnd end;
    std::vector<KvRecord> kv;
    const FinishedTable* finished;  ///< to be written to the directories
    const FailedTable* failed;      ///< likewise, to their indexes
  };
  /// From now on, transactions that finish gather in a new table. Those that finished earlier are
  /// still found until `directories_written`.
  Checkpoint begin_checkpoint();
  /// Unfinished transactions of the next slots. Moves `slot` on, and sets `end` after the last
  /// slot.
  std::vector<UnfinishedEntry> unfinished_slots(std::size_t& slot, bool& end) const;
  void directories_written();

  /// Forgets everything that began in a segment that is gone.
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

  Result<std::size_t> order_create(LogRequest& request);
  Result<std::size_t> order_update(LogRequest& request);
  Result<std::size_t> order_after_end(LogRequest& request);
  Result<std::size_t> order_move(LogRequest& request);
  Result<std::size_t> order_kv(LogRequest& request);
  Result<> check_branches(const UnfinishedEntry& entry, const UpdateTrans& update) const;
  Result<std::optional<FinishedPlaces>> find_finished(const Fingerprint& fingerprint) const;

  /// Calls `visit` with each unfinished entry and its slot; releases the lock now and then.
  template <class Visit>
  void for_each_unfinished(Visit visit) const;
  /// Erases entries with sequences below `before`; releases the lock after each `step` of them.
  template <class Table, class Predicate>
  void erase_in_steps(Table* table, std::uint64_t before, std::size_t step, Predicate predicate);

  const FinishedPlaces* pending(const Fingerprint& fingerprint) const CONCERTO_REQUIRES(mutex_);
  Result<Chain> walk(Place last, bool only_durable) const CONCERTO_REQUIRES(mutex_);
  Result<std::optional<ChainRecord>> in_memory(const Place& place) const CONCERTO_REQUIRES(mutex_);
  void finish(const UnfinishedEntry& entry, WallTime at) CONCERTO_REQUIRES(mutex_);
  void note_moved(std::uint64_t sequence, const Fingerprint& fingerprint, const Place& first)
      CONCERTO_REQUIRES(mutex_);

  // No other thread has the ledger yet when these run. Some of them read the disk.
  Result<> replay_update(const Place& place, const RecordView& record) CONCERTO_NOT_CHECKED;
  Result<> replay_after_end(const Place& place, const RecordView& record, const Fingerprint& gid);
  Result<> replay_kv(const Place& place, const RecordView& record) CONCERTO_NOT_CHECKED;
  Result<> replay_whole(const Place& place, const RecordView& record) CONCERTO_NOT_CHECKED;

  SegmentSet& segments_;
  const FingerprintKey key_;
  mutable Mutex mutex_;
  UnfinishedTable unfinished_ CONCERTO_GUARDED_BY(mutex_);
  FinishedTable finished_ CONCERTO_GUARDED_BY(mutex_);  ///< since the last checkpoint began
  /// Finished before that, while the directories are written.
  FinishedTable flushing_ CONCERTO_GUARDED_BY(mutex_);
  FailedTable failed_ CONCERTO_GUARDED_BY(mutex_);  ///< finished transactions that failed
  FailedTable failed_flushing_ CONCERTO_GUARDED_BY(mutex_);
  std::map<std::uint64_t, Fingerprint> moved_ CONCERTO_GUARDED_BY(mutex_);
  std::uint64_t last_sequence_ CONCERTO_GUARDED_BY(mutex_) = 0;
  std::uint64_t durable_group_ CONCERTO_GUARDED_BY(mutex_) = 0;

  RecentGroups recent_ CONCERTO_GUARDED_BY(mutex_);
  // The gathered group:
  std::uint64_t group_number_ CONCERTO_GUARDED_BY(mutex_) = 1;
  std::string group_value_ CONCERTO_GUARDED_BY(mutex_);
  // Effects of changes that come when the group is written. Used only by the thread that makes
  // changes.
  std::vector<Finishing> finishing_;
  boost::unordered_flat_map<Fingerprint, FinishedPlaces, FinishedTable::Hash> changed_;
  std::vector<KvEffect> kv_effects_;

  KvTable kv_ CONCERTO_GUARDED_BY(mutex_);                          ///< with all ordered changes
  KvTable durable_kv_ CONCERTO_GUARDED_BY(mutex_);                  ///< what reads see
  std::set<std::pair<std::string, std::string>> erased_in_replay_;  ///< category and key
};

}  // namespace concerto::persist
