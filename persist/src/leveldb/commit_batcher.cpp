#include "commit_batcher.hpp"

#include <utility>

namespace concerto::persist {

std::size_t CommitBatcher::gather(RequestList& queue, SteadyTime now, Answers& answers) {
  std::size_t added = 0;
  while (!queue.empty() && (failed() || !ledger_.group_full())) {
    CommitRequest& request = queue.pop();
    if (failed()) {
      answers.add(request, make_error(EngineErrc::store_unavailable,
                                      "the store takes no writes until it is reopened: " +
                                          failure_->detail));
      continue;
    }
    Result<> ordered = ledger_.order(request, now);
    if (ordered) ++added;
    if (ordered && request.durability == Durability::durable) {
      waiting_.push_back(&request);
    } else {
      answers.add(request, std::move(ordered));
    }
  }
  return added;
}

std::optional<SteadyTime> CommitBatcher::due() const {
  if (failed()) return std::nullopt;
  return ledger_.group_due();
}

std::size_t CommitBatcher::written(const Result<>& result, Answers& answers) {
  if (result) {
    ledger_.written();
  } else {
    failure_ = result.error();
  }
  for (CommitRequest* request : waiting_) {
    if (result) {
      answers.add(*request, ok());
    } else {
      answers.add(*request, make_error(EngineErrc::store_failed, failure_->detail));
    }
  }
  return std::exchange(waiting_, {}).size();
}

}  // namespace concerto::persist
