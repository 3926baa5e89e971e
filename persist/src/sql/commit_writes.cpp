#include <algorithm>
#include <utility>

#include "../preconditions.hpp"
#include "commit_entry.hpp"

/// How CommitLanes writes a group and finds the outcome of each change.
namespace concerto::persist {
namespace {

constexpr std::size_t attempts_max = 4;

/// The row of a gid; null if there is none.
const StoredTrans* find_row(const std::vector<StoredTrans>& stored, const std::string& gid) {
  const auto found =
      std::ranges::find_if(stored, [&gid](const StoredTrans& one) { return one.row.gid == gid; });
  return found == stored.end() ? nullptr : &*found;
}

/// The outcome of a change whose preconditions did not hold.
Result<> outcome_of(const UpdateRows& update, const StoredTrans* stored,
                    std::string_view this_node) {
  UpdateTrans asked;
  asked.gid = Gid{update.gid};
  asked.expected = update.expected;
  if (stored == nullptr) return trans_not_found(asked.gid);
  if (stored->row.owner != this_node && !is_final(update.expected)) {
    return make_error(EngineErrc::lease_lost,
                      "transaction '" + update.gid + "' is not this coordinator's");
  }
  if (stored->row.status == to_string(update.expected)) {
    return make_error(EngineErrc::store_busy,
                      "the change was not made, and its row still has the expected status");
  }
  if (shows(*stored, update, this_node)) return ok();  // its answer was lost before
  return status_mismatch(asked,
                         trans_status_from(stored->row.status).value_or(TransStatus::failed));
}

}  // namespace

Error store_error(const Error& error) {
  if (error.code.category() != sql_category()) return error;
  switch (static_cast<SqlErrc>(error.code.value())) {
    case SqlErrc::rolled_back:
    case SqlErrc::not_now:
    case SqlErrc::no_connection_left:
    case SqlErrc::wrong_schema:  // nothing was changed, and an operator can give the right back
      return make_error(EngineErrc::store_busy, error.detail);
    case SqlErrc::answer_lost:
      return make_error(EngineErrc::store_failed, error.detail);
    case SqlErrc::refused:
      return make_error(Errc::invalid_request, error.detail);
    case SqlErrc::branch_exists:
      return make_error(EngineErrc::branch_exists, error.detail);
  }
  return make_error(EngineErrc::store_failed, error.detail);
}

/// Writes the entries in one database transaction, or in several if the database refuses one of
/// them, and sets their outcomes.
Task<void> CommitLanes::write(Lane& lane, Entries entries) {
  const SteadyTime begun = clock_.steady_now();
  for (std::size_t attempt = 1;; ++attempt) {
    const SteadyTime again_until = attempt < attempts_max ? begun + limits_.tries_time_max : begun;
    const bool done = co_await write_once(lane, entries, again_until);
    if (done) co_return;
  }
}

/// False if the same is to be tried again: after a failure that may pass, and before `again_until`.
Task<bool> CommitLanes::write_once(Lane& lane, Entries& entries, SteadyTime again_until) {
  std::ranges::sort(entries, {},
                    [](const Entry* entry) -> const std::string& { return entry->gid(); });
  RowGroup group;
  for (Entry* entry : entries) {
    if (entry->create() != nullptr) group.creates.push_back(entry->create());
    if (entry->update() != nullptr) group.updates.push_back(entry->update());
  }
  Result<SqlLease> lease = co_await pool_.acquire();
  if (!lease) {
    for (Entry* entry : entries) entry->outcome = store_error(lease.error());
    co_return true;
  }
  const SteadyTime begun = clock_.steady_now();
  const Result<> written = co_await (*lease)->write(group);
  if (written) {
    watch_.wrote(clock_.steady_now() - begun);
    Entries left_out;
    for (Entry* entry : entries) {
      const bool made =
          entry->create() != nullptr ? entry->create()->is_made : entry->update()->is_made;
      if (!made) left_out.push_back(entry);
    }
    co_await explain(*lease, std::move(left_out));
    co_return true;
  }
  const Error& error = written.error();
  const bool may_pass = error.code == SqlErrc::rolled_back || error.code == SqlErrc::not_now;
  if (may_pass && clock_.steady_now() < again_until) co_return false;
  const BackendId backend = (*lease)->backend();
  lease->reset();
  if (error.code == SqlErrc::answer_lost) {
    co_await find_out(lane, entries, backend);
    // The server may have ended this connection and nothing else.
    if (clock_.steady_now() < again_until) {
      std::erase_if(entries, [](const Entry* entry) { return !entry->was_not_made(); });
      for (Entry* entry : entries) entry->outcome = ok();
      co_return entries.empty();
    }
  } else if (error.code == SqlErrc::refused || error.code == SqlErrc::branch_exists) {
    co_await split(lane, std::move(entries), error);
  } else {
    for (Entry* entry : entries) entry->outcome = store_error(error);
    watch_.refused(error, entries.size());
  }
  co_return true;
}

/// The database refused a group because of one of its changes.
Task<void> CommitLanes::split(Lane& lane, Entries entries, Error error) {
  if (entries.size() == 1) {
    entries.front()->outcome = store_error(error);
    co_return;
  }
  const auto middle = entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2);
  Entries first(entries.begin(), middle), second(middle, entries.end());
  co_await write(lane, std::move(first));
  co_await write(lane, std::move(second));
}

/// Sets the outcomes of changes whose preconditions did not hold.
Task<void> CommitLanes::explain(SqlLease& lease, Entries entries) {
  std::vector<std::string> gids;
  for (Entry* entry : entries) {
    if (entry->create() != nullptr) {
      entry->outcome = gid_exists(Gid{entry->gid()});
    } else {
      gids.push_back(entry->gid());
    }
  }
  if (gids.empty()) co_return;
  const Result<std::vector<StoredTrans>> stored = co_await lease->load(std::move(gids));
  for (Entry* entry : entries) {
    const UpdateRows* update = entry->update();
    if (update == nullptr) continue;
    entry->outcome = stored ? outcome_of(*update, find_row(*stored, update->gid), this_node_)
                            // Nothing was changed: only the reason is not known.
                            : Result<>(make_error(EngineErrc::store_busy, stored.error().detail));
  }
}

/// `backend` outlives the call. It becomes the backend that the next try has to end.
Async<std::vector<StoredTrans>> CommitLanes::read_again(BackendId& backend,
                                                        std::vector<std::string> gids) {
  CONCERTO_CO_TRY(const SqlLease lease, co_await pool_.acquire());
  // What the lost connection had under way may still take effect.
  CONCERTO_CO_CHECK(co_await lease->end_backend(backend));
  const BackendId own = lease->backend();
  const Result<> replicated = co_await lease->await_standbys();
  if (!replicated) {
    if (replicated.error().code == SqlErrc::answer_lost) backend = own;
    co_return replicated.error();
  }
  co_return co_await lease->load(std::move(gids));
}

/// The answer to a group was lost: reads what became of its changes, for as long as it takes.
Task<void> CommitLanes::find_out(Lane& lane, Entries entries, BackendId backend) {
  std::vector<std::string> gids;
  for (const Entry* entry : entries) gids.push_back(entry->gid());
  Result<std::vector<StoredTrans>> stored = co_await read_again(backend, gids);
  while (!stored) {
    if (stopping_ || gives_up_) {
      const Error unknown =
          make_error(EngineErrc::store_failed, "the store is closed before the outcome is known");
      for (Entry* entry : entries) entry->outcome = unknown;
      co_return;
    }
    // These were never sent, so the lost answer of the reader says nothing about them.
    answer_queued(lane, make_error(EngineErrc::store_busy, stored.error().detail));
    co_await pause(lane);
    stored = co_await read_again(backend, gids);
  }
  for (Entry* entry : entries) {
    const StoredTrans* row = find_row(*stored, entry->gid());
    const bool creates = entry->create() != nullptr;
    const bool made = row != nullptr && (creates ? shows(*row, *entry->create())
                                                 : shows(*row, *entry->update(), this_node_));
    if (made) {
      entry->outcome = ok();
    } else if (!creates) {
      // If another node has the row, the change may have been made before: lease_lost makes the
      // caller ask the row. store_busy would say that nothing was changed.
      entry->outcome = outcome_of(*entry->update(), row, this_node_);
    } else if (row != nullptr) {
      entry->outcome = gid_exists(Gid{entry->gid()});
    } else {
      entry->outcome = make_error(EngineErrc::store_busy,
                                  "the connection was lost, and the change was not made");
    }
  }
}

Task<void> CommitLanes::pause(Lane& lane) {
  lane.timer.expires_after(limits_.retry_after);
  lane.timer.async_wait([&lane](const error_code&) { lane.arrived.notify_all(); });
  ignore_error(Result<bool>(co_await lane.arrived.wait()), "only a pause");
}

}  // namespace concerto::persist
