#pragma once

#include <cstddef>
#include <vector>

#include <concerto/base/error.hpp>
#include <concerto/engine/bulk_actions.hpp>

#include "pauses.hpp"

namespace concerto {

/// Error invalid_request: a request that cannot be carried out on transactions of this store.
Result<> check_request(const BulkRequest& request, Store& store);

/// What operators see before they act: previews and counts. Changes nothing. Usable on any shard;
/// the references outlive it.
class BulkLooks {
 public:
  BulkLooks(Coordinator& coordinator, Store& store, const Clock& clock)
      : coordinator_(coordinator), store_(store), clock_(clock) {}

  Async<BulkPreview> preview(BulkRequest request) const;
  Async<BulkPreview> preview_pause(Pause pause) const;
  Async<PauseCounts> waiting_for(std::vector<Pause> pauses) const;
  Async<BulkCounts> count(BulkSelection selection, BulkCountBy by, std::size_t groups_max) const;

 private:
  /// Shows each selected transaction to `filter.accepts`, until that is true twice.
  Async<> visit(ListFilter filter, BulkSelection selection) const;

  Coordinator& coordinator_;
  Store& store_;
  const Clock& clock_;
};

}  // namespace concerto
