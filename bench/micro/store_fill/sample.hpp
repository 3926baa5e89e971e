#pragma once

#include <cstddef>
#include <vector>

#include <concerto/engine/store.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto::bench {

/// What the store is filled with. The records of each transaction are those that the engine writes.
enum class Kind {
  finished,    ///< sagas of two steps: submit, the success of the first action, the end
  waiting,     ///< sagas of two steps whose first call was put off: submit, the next time
  unfinished,  ///< these, and as many prepared TCCs with a branch, which wait for their timeout
};

struct SampleOptions {
  Kind kind = Kind::finished;
  std::size_t payload_bytes = 100;  ///< of each branch
  WallTime now{};                   ///< when everything began
};

/// As long as the gids that the coordinator makes.
Gid sample_gid(std::size_t number);

/// The transaction as it is created.
Transaction make_sample(std::size_t number, const SampleOptions& options);

/// What is written after that, in order.
std::vector<Change> changes_of(const Transaction& created, const SampleOptions& options);

/// Whether a loaded transaction is what these records make of it.
bool is_sample(const Transaction& loaded, std::size_t number, const SampleOptions& options);

}  // namespace concerto::bench
