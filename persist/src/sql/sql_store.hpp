#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include <concerto/base/mutex.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/persist/store_moves.hpp>
#include <concerto/persist/store_probe.hpp>

#include "../damaged_records.hpp"
#include "commit_lanes.hpp"
#include "row_mapping.hpp"
#include "row_reads.hpp"
#include "sql_pool.hpp"
#include "sql_watch.hpp"
#include "zone_watch.hpp"

namespace concerto::persist {

struct SqlStoreOptions {
  std::string node;  ///< see new_node_id; the connector has the same
  LeaseTimes lease;  ///< likewise
  SqlPool::Limits pool;
  CommitLanes::Limits commits;
  RowReads::Limits reads;
  StoreRetention retention;
  /// Whether finished rows are deleted when the retention says so. The reference keeps them.
  bool deletes_finished = false;
  /// False for `reset` alone: tables of any layout are dropped.
  bool checks_tables = true;
  /// Whether this is a coordinator, which must have the time zone of the others.
  bool checks_zone = true;
  ZoneWatch::Times zone_times;
  /// How long `open` waits for a database that cannot be reached, before it opens as recovering.
  std::chrono::milliseconds open_patience{0};
  /// A database that does not tell its time for so long counts as away. What is under way has the
  /// time limit of statements.
  std::chrono::milliseconds silence_max{4'000};
};

/// A store in a database that several coordinators may share. All its work is done by coroutines on
/// one thread of its own, which never blocks.
class SqlStore final : public ManagedStore, public Ownership, public StoreMoves {
 public:
  using MakeConnector = std::function<std::unique_ptr<SqlConnector>(Executor)>;

  /// Connects, and creates the tables if there is none of them. A database that cannot be reached
  /// is tried again for ever, in the background. Clock and observer must outlive the store. Errors:
  /// store_unavailable (the tables or the rights are not what this version needs, or a coordinator
  /// with another time zone runs), overloaded.
  [[nodiscard]] static Result<std::unique_ptr<SqlStore>> open(SqlStoreOptions options,
                                                              const MakeConnector& make,
                                                              const Clock& clock,
                                                              Observer& observer);
  ~SqlStore() override;

  /// Number of unfinished transactions. Blocks.
  [[nodiscard]] Result<std::size_t> count_unfinished();
  /// As work_of_others. Blocks.
  [[nodiscard]] Result<WorkOfOthers> work_of_others_now();
  /// Drops the tables and creates them anew. Blocks. No other call may run.
  [[nodiscard]] Result<> reset();

  void set_retention(const StoreRetention& retention) override;
  [[nodiscard]] Result<> maintain() override;
  Async<> create_at_rest(const Transaction& trans) override;
  Result<Transaction> as_kept(const Transaction& trans) const override;
  KvRecord as_kept(const KvRecord& record) const override;
  Async<WorkOfOthers> work_of_others() override;
  void begin_stop(SteadyTime until) noexcept override;
  void close() override;

  Async<> commit(const Change& change) override;
  Async<std::optional<Transaction>> load(Gid gid) override;
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override;
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override;
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override;
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override;
  Async<> create_kv(KvRecord record) override;
  Async<> update_kv(KvRecord record) override;
  Async<> delete_kv(std::string cat, std::string key) override;
  Ownership* ownership() noexcept override { return this; }
  StoreHealth health() const override;
  std::size_t queued_changes() const noexcept override {
    return probe_.queued_changes.load(std::memory_order_relaxed);
  }
  DamageReport damage(std::size_t max) const override { return damaged_.report(max); }
  StoreNumbers numbers() const override;

  std::chrono::nanoseconds lease() const noexcept override;
  std::string node() const override;
  Async<Claimed> claim(Gid gid, Claim how) override;
  Async<std::vector<Transaction>> claim_due(std::size_t limit) override;
  Async<std::vector<Gid>> renew(std::vector<Gid> gids) override;
  Async<> let_go(Gid gid, WallTime until) override;
  Async<std::vector<Gid>> resting(std::chrono::seconds beyond, WallTime unchanged_since,
                                  std::size_t limit) override;
  Async<Backlog> backlog() override;
  Async<std::optional<Owner>> owner_of(Gid gid) override;

 private:
  using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>, Executor>;

  SqlStore(SqlStoreOptions options, const MakeConnector& make, const Clock& clock,
           Observer& observer);

  /// Runs a coroutine on the store's thread and waits for it, from another thread.
  template <class T>
  Result<T> wait_for(Async<T> task);
  /// Whether a call may be made again after its answer was lost: one that only reads, or that
  /// changes nothing the second time.
  enum class Repeat : std::uint8_t { yes, no };
  /// Runs one call of a connection, on the store's thread. A call that did not happen, or that may
  /// be made twice, is tried again on another connection.
  template <class T>
  Async<T> on_connection(std::function<Async<T>(SqlConnection&)> call, Repeat repeat = Repeat::yes);

  // On the store's thread:
  Async<> make_contact();
  Async<> try_contact();
  Async<> check_tables(SqlConnection& connection);
  void say_opened();
  Async<> ask_time(SqlConnection& connection);
  Async<> measure_clock(SqlConnection& connection);
  Async<> check_write(SqlConnection& connection);
  bool zone_is_due() const noexcept;
  Async<> check_zone(SqlConnection& connection);
  Async<> compare_zones(ZoneRecords& records);
  Async<> keep_zone_record(ZoneRecords& records);
  Async<> drop_zone_record(ZoneRecords& records);
  Result<> go_on_without_zones(const Error& error);
  void note_zone_trouble();
  void note_zones();
  Task<void> leave_zones();
  /// Error store_busy while this coordinator must not take work because of its time zone. Any
  /// thread.
  Result<> may_take_work() const;
  Async<> delete_finished();
  Async<> delete_finished(TransStatus status, std::chrono::seconds age);
  Task<void> tend();
  Task<void> delete_in_background();
  void give_up_after(SteadyTime until);
  void give_up_at(SteadyTime at);
  Task<void> shut();
  Async<std::vector<StoredTrans>> load_rows(std::vector<ClaimRow> rows);
  Async<std::vector<StoredTrans>> claim_rows(std::vector<ClaimRow> rows);
  Async<std::optional<Transaction>> load_here(std::string gid);
  Async<Claimed> claim_here(std::string gid, Claim how);
  Async<std::vector<StoredTrans>> claim_due_here(std::size_t limit);
  Async<> let_go_here(std::string gid, RowTime until);
  Async<std::optional<Owner>> owner_here(std::string gid);
  Async<TransPage> list_here(ListFilter filter, ListRows rows, std::size_t limit);
  Async<bool> add_to_page(TransPage& page, std::size_t& bytes, StoredTrans stored,
                          const ListFilter& filter, std::size_t limit);
  void note_try(const Result<>& tried);
  void note_contact(const Result<>& contact, bool was_slow);
  void turn_away(const Error& why, bool is_silent);

  Async<> commit_rows(RowRequest& request);
  std::optional<WallTime> in_work_until(const StoredTrans& stored) const;
  /// How much of a transaction a row was read with.
  enum class Extent : std::uint8_t { whole, without_branches };
  Result<Transaction> read(StoredTrans stored, Extent extent = Extent::whole);
  std::vector<Transaction> read_all(std::vector<StoredTrans> stored, Extent extent,
                                    std::vector<std::string>& damaged);
  Async<> let_rest(std::vector<std::string> gids);
  RowReader reader() const noexcept { return {row_clock_, options_.node}; }

  const SqlStoreOptions options_;
  const Clock& clock_;
  Observer& observer_;
  RowClock row_clock_;
  StoreProbe probe_;
  DamagedRecords damaged_;

  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<Executor>> work_;
  std::unique_ptr<SqlConnector> connector_;
  SqlWatch watch_;
  SqlPool pool_;
  CommitLanes lanes_;
  RowReads loads_;
  RowReads claims_;
  Notifier tending_;  ///< ends a pause of `tend`
  Timer silence_;     ///< of the question that is under way
  Timer giving_up_;   ///< during a stop
  ZoneWatch zones_;
  ZoneWatch::Verdict zone_verdict_ = ZoneWatch::Verdict::agrees;  ///< of the last look
  bool has_zone_record_ = false;
  std::string zone_trouble_;  ///< why the last look was not possible; empty: it was
  int zone_troubles_ = 0;     ///< in a row
  bool zone_trouble_is_logged_ = false;
  std::atomic<bool> may_take_work_;
  std::chrono::nanoseconds answer_time_{};
  std::uint64_t failed_before_stop_ = 0;
  bool is_open_ = false;
  bool is_asking_ = false;
  bool has_doubt_ = false;  ///< a connection could not be made since the last contact
  bool has_checked_tables_ = false;
  std::string opened_line_;  ///< for the log, when everything is checked
  bool is_deleting_ = false;
  bool is_stopping_ = false;
  bool is_giving_up_ = false;
  bool is_over_ = false;  ///< nothing is left that needs the database
  bool closing_ = false;
  TaskGroup tasks_;

  mutable Mutex mutex_;
  StoreRetention retention_ CONCERTO_GUARDED_BY(mutex_);
  /// Why this coordinator must not take work. Empty: the zones agree.
  std::string zone_conflict_ CONCERTO_GUARDED_BY(mutex_);
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<bool> closed_ = false;
  std::thread thread_;
};

}  // namespace concerto::persist
