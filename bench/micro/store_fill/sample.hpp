#pragma once

#include <cstddef>
#include <vector>

#include <concerto/engine/store.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto::bench {

/// What a store is filled with. Each transaction has the records that the engine writes.
enum class Kind {
  finished,    ///< sagas of two steps: submit, the success of the first action, the end
  waiting,     ///< sagas of two steps whose first call was postponed: submit, the next schedule
  unfinished,  ///< waiting ones, and as many prepared TCCs with a branch, which wait for their
               ///< timeout
};

struct SampleOptions {
  Kind kind = Kind::finished;
  std::size_t payload_bytes = 100;  ///< of each branch
  WallTime now{};                   ///< the time at which everything began
};

/// A gid as long as those that the coordinator makes.
Gid sample_gid(std::size_t number);

/// The transaction as it is created.
Transaction make_sample(std::size_t number, const SampleOptions& options);

/// The changes that follow the creation, in order.
std::vector<Change> changes_of(const Transaction& created, const SampleOptions& options);

/// Whether a loaded transaction is what the sample's records make.
bool is_sample(const Transaction& loaded, std::size_t number, const SampleOptions& options);

}  // namespace concerto::bench
