#pragma once

#include <cstddef>
#include <memory>

#include <concerto/base/export.hpp>
#include <concerto/persist/managed_store.hpp>

namespace concerto::persist {

/// A store without a disk, for tests and for coordinators whose transactions may be lost when the
/// process ends.
///
/// Thread-safe. A commit takes effect when it is called, in order. The functions below let a test
/// hold commits back, let a commit fail, or simulate a crash. The executors of commits that wait or
/// whose answer is posted must outlive the store or a call of `crash`.
class CONCERTO_EXPORT MemoryStore final : public ManagedStore {
 public:
  /// Whether a crash keeps or loses progress writes that no durable write has followed.
  enum class Crash { keeps_progress, loses_progress };
  /// Whether a change takes effect although its commit fails. Both cases occur on real disks.
  enum class Failure { dropped, applied };

  /// How a commit returns: without suspending its caller, or by a post, as from a store with a
  /// disk, which lets a test meet what happens in between.
  enum class Answers { at_once, posted };

  explicit MemoryStore(Crash crash = Crash::keeps_progress, Answers answers = Answers::at_once);
  ~MemoryStore() override;

  /// From now on, changes (of transactions and of key-value records) wait: they have no order yet
  /// and nobody sees them.
  void hold_commits();
  /// Lets the first `count` waiting changes take effect, in order. Without a count, all take
  /// effect, and later changes no longer wait.
  void release_commits(std::size_t count);
  void release_commits();
  std::size_t held_commits() const;

  /// The nth change from now on (1 = the next) fails with store_failed, and later ones with
  /// store_unavailable until `crash`.
  void fail_commit(std::size_t nth, Failure failure = Failure::dropped);

  /// Simulates a crash and a restart: waiting changes are lost together with the coroutines that
  /// made them, and failures end.
  void crash();

  /// Number of changes that took effect since the start.
  std::size_t commits() const;

  /// Nothing expires in this store.
  void set_retention(const StoreRetention& retention) override;
  [[nodiscard]] Result<> maintain() override;
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
  StoreHealth health() const override;
  std::size_t queued_changes() const noexcept override { return held_commits(); }

 private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace concerto::persist
