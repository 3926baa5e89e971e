#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <concerto/engine/store.hpp>

namespace concerto::test {

/// A store that passes its calls to another store and fails as a test says. It behaves like a store
/// on a server that is away for a while or whose answers are lost.
class ScriptedStore final : public Store {
 public:
  static constexpr std::size_t always = static_cast<std::size_t>(-1);

  explicit ScriptedStore(Store& store) : store_(store) {}

  /// Makes this many of the next commits, loads, scans or reads of key-value records answer
  /// store_busy and do nothing.
  std::size_t busy_commits = 0;
  std::size_t busy_loads = 0;
  std::size_t busy_scans = 0;
  std::size_t busy_kvs = 0;
  bool hides_trouble = false;  ///< `health` serves also while commits are busy
  bool is_away = false;        ///< what `health` says, whatever else is so
  bool holds_loads = false;    ///< from now on loads wait until `release_loads`
  /// Makes this many of the next commits answer store_failed, with or without an effect.
  std::size_t lost_answers = 0;
  std::size_t lost_commits = 0;

  /// Makes this many of the next commits throw.
  std::size_t throwing_commits = 0;

  /// Number of commits that were requested.
  std::size_t commits = 0;

  Async<> commit(const Change& change) override {
    ++commits;
    if (takes_one(throwing_commits)) throw std::runtime_error("no database");
    return commit_as_told(change);
  }

  Async<std::optional<Transaction>> load(Gid gid) override {
    if (takes_one(busy_loads)) co_return busy();
    if (holds_loads) {
      auto hold = [this](Completion<bool> load) { held_loads_.push_back(std::move(load)); };
      co_await suspend<bool>(hold);
    }
    co_return co_await store_.load(std::move(gid));
  }

  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override {
    if (takes_one(busy_scans)) co_return busy();
    co_return co_await store_.scan_unfinished(from, limit);
  }

  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override {
    return store_.list(std::move(filter), std::move(position), limit);
  }
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override {
    if (takes_one(busy_kvs)) co_return busy();
    co_return co_await store_.find_kv(std::move(cat), std::move(key));
  }
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override {
    return store_.scan_kv(std::move(cat), std::move(position), limit);
  }
  Async<> create_kv(KvRecord record) override { return store_.create_kv(std::move(record)); }
  Async<> update_kv(KvRecord record) override { return store_.update_kv(std::move(record)); }
  Async<> delete_kv(std::string cat, std::string key) override {
    return store_.delete_kv(std::move(cat), std::move(key));
  }

  void release_loads() {
    holds_loads = false;
    for (auto& load : std::exchange(held_loads_, {})) load(true);
  }

  StoreHealth health() const override {
    StoreHealth health = store_.health();
    if (is_away || (busy_commits > 0 && !hides_trouble))
      health.add(StoreHealth::State::recovering, "the server is away");
    return health;
  }

 private:
  Async<> commit_as_told(const Change& change) {
    if (takes_one(busy_commits)) co_return busy();
    if (takes_one(lost_commits)) co_return failed();
    Result<> done = co_await store_.commit(change);
    if (done && takes_one(lost_answers)) co_return failed();
    co_return done;
  }

  static bool takes_one(std::size_t& count) noexcept {
    if (count == 0) return false;
    if (count != always) --count;
    return true;
  }
  static Error busy() { return make_error(EngineErrc::store_busy, "the server is away"); }
  static Error failed() { return make_error(EngineErrc::store_failed, "the answer is lost"); }

  Store& store_;
  std::vector<Completion<bool>> held_loads_;
};

}  // namespace concerto::test
