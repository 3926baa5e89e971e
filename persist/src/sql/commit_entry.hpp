#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>

#include "commit_lanes.hpp"

/// The parts of CommitLanes that only its own source files include.
namespace concerto::persist {

inline bool is_progress(const RowRequest& request) noexcept {
  return request.durability == Durability::progress;
}

/// The changes of one gid in a group, and their common outcome.
struct CommitLanes::Entry {
  std::vector<RowRequest*> requests;
  std::optional<UpdateRows> merged;  ///< of several requests
  Result<> outcome;

  const std::string& gid() const noexcept { return requests.front()->gid; }
  /// Whether the same may be tried again.
  bool was_not_made() const noexcept {
    return !outcome && outcome.error().code == EngineErrc::store_busy;
  }
  CreateRows* create() noexcept { return std::get_if<CreateRows>(&requests.front()->rows); }
  UpdateRows* update() noexcept {
    return merged ? &*merged : std::get_if<UpdateRows>(&requests.front()->rows);
  }
};

struct CommitLanes::Lane {
  explicit Lane(const Executor& executor) : arrived(executor), timer(executor) {}

  std::deque<RowRequest*> queue;
  std::size_t barriers = 0;  ///< of single gids; they may be in the queue
  Notifier arrived;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>, Executor>
      timer;
  SteadyTime not_before{};  ///< for a group of progress alone, after a failure
  bool is_idle = true;
};

}  // namespace concerto::persist
