#include "watched_store.hpp"

#include <utility>

namespace concerto {
namespace {

/// What the change does to a status; nullopt: nothing.
std::optional<TransEvent> event_of(const Change& change) {
  if (const auto* created = std::get_if<CreateTrans>(&change.what)) {
    return TransEvent{created->trans->gid, created->trans->type, created->trans->status};
  }
  const auto& update = std::get<UpdateTrans>(change.what);
  if (!update.delta.status) return std::nullopt;
  const TransType type = update.known != nullptr ? update.known->type : TransType{};
  return TransEvent{update.gid, type, *update.delta.status};
}

}  // namespace

Async<> WatchedStore::commit(const Change& change) {
  if (!events_.has_streams()) return store_.commit(change);
  auto event = event_of(change);
  if (!event) return store_.commit(change);
  return commit_and_tell(change, std::move(*event));
}

Async<> WatchedStore::commit_and_tell(const Change& change, TransEvent event) {
  Result<> committed = co_await store_.commit(change);
  if (committed) events_.tell(std::move(event));
  co_return committed;
}

}  // namespace concerto
