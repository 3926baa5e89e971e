#pragma once

#include <concerto/engine/store.hpp>

#include "event_hub.hpp"

namespace concerto {

/// The store of the embedder, as the coordinator sees it: what becomes durable there is told to the
/// streams of events. Does nothing while there is no stream.
class WatchedStore final : public Store {
 public:
  WatchedStore(Store& store, EventHub& events) : store_(store), events_(events) {}

  Async<> commit(const Change& change) override;
  Async<std::optional<Transaction>> load(Gid gid) override { return store_.load(std::move(gid)); }
  Async<UnfinishedPage> scan_unfinished(std::uint64_t from, std::size_t limit) override {
    return store_.scan_unfinished(from, limit);
  }
  Async<TransPage> list(ListFilter filter, std::string position, std::size_t limit) override {
    return store_.list(std::move(filter), std::move(position), limit);
  }
  Async<std::vector<KvRecord>> find_kv(std::string cat, std::string key) override {
    return store_.find_kv(std::move(cat), std::move(key));
  }
  Async<KvPage> scan_kv(std::string cat, std::string position, std::size_t limit) override {
    return store_.scan_kv(std::move(cat), std::move(position), limit);
  }
  Async<> create_kv(KvRecord record) override { return store_.create_kv(std::move(record)); }
  Async<> update_kv(KvRecord record) override { return store_.update_kv(std::move(record)); }
  Async<> delete_kv(std::string cat, std::string key) override {
    return store_.delete_kv(std::move(cat), std::move(key));
  }
  Ownership* ownership() noexcept override { return store_.ownership(); }
  StoreHealth health() const override { return store_.health(); }
  std::size_t queued_changes() const noexcept override { return store_.queued_changes(); }
  DamageReport damage(std::size_t max) const override { return store_.damage(max); }
  StoreNumbers numbers() const override { return store_.numbers(); }

 private:
  Async<> commit_and_tell(const Change& change, TransEvent event);

  Store& store_;
  EventHub& events_;
};

}  // namespace concerto
