#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include <concerto/engine/store.hpp>

#include "chain.hpp"
#include "store_core.hpp"

namespace concerto::persist {

class StoreReader;

/// A page of `list` while it is being filled: in steps of a few milliseconds each, on a worker
/// thread, until the page is full or nothing is left. One thread at a time. The store must outlive
/// the object.
class Listing {
 public:
  /// The statuses that the filter selects decide where to look: in the indexes of unfinished and of
  /// failed transactions if these have them all, otherwise in the log.
  /// Error invalid_request: the position does not belong to such a list.
  static Result<std::unique_ptr<Listing>> begin(const StoreReader& reader, StoreCore& core,
                                                ListFilter filter, const std::string& position,
                                                std::size_t limit);
  virtual ~Listing() = default;

  /// True when the page is complete.
  virtual Result<bool> step() = 0;
  TransPage take() { return std::move(page_); }

 protected:
  /// Transactions that one step looks at.
  static constexpr std::size_t examined_per_step = 500;

  Listing(const StoreReader& reader, StoreCore& core, ListFilter filter, std::size_t limit);

  bool is_full() const noexcept {
    return page_.transactions.size() >= limit_ || page_bytes_ >= page_bytes_max;
  }
  /// Adds the transaction to the page, if it is there and the filter selects it.
  Result<> show(const Fingerprint& gid);

  const StoreReader& reader_;
  StoreCore& core_;
  GroupReader groups_;
  const ListFilter filter_;
  const std::size_t limit_;
  TransPage page_;
  std::size_t page_bytes_ = 0;
};

}  // namespace concerto::persist
