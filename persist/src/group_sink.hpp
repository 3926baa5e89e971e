#pragma once

#include <cstddef>

#include "commit_group.hpp"

namespace concerto::persist {

/// What a store does with the groups of a CommitBatcher. The batcher decides which changes make a
/// group and when the group is written; the sink puts the changes into the store's own form and
/// writes them.
///
/// All calls come from one thread, which may block. The sink gets only requests of its own store,
/// so it may cast them to the store's type of request.
class GroupSink {
 public:
  virtual ~GroupSink() = default;

  /// Adds a change to the group that is gathered now, and returns the size of that group in bytes.
  /// The sink copies what it writes of a progress request: such a request is answered before
  /// `write`, and may be destroyed then. After an error the group is as before, and the error is
  /// the answer to the request.
  virtual Result<std::size_t> add(CommitRequest& request) = 0;

  /// Writes the changes that were added since the last `write`, and makes them durable. A change
  /// that fails alone is refused in `group`; so are all changes if the write did not happen but
  /// later writes may. An error says that the changes may have been made or not; the batcher then
  /// writes nothing any more.
  virtual Result<> write(CommitGroup& group) = 0;

  /// The last `write` has succeeded. Called before anybody is answered: from now on reads may show
  /// the changes.
  virtual void written() {}

  /// Whether there is room for changes that create. Thread-safe.
  virtual bool has_room() const noexcept { return true; }
};

}  // namespace concerto::persist
