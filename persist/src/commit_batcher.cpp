#include "commit_batcher.hpp"

#include <utility>

#include <concerto/engine/error.hpp>

namespace concerto::persist {

std::size_t CommitBatcher::gather(RequestList& queue, SteadyTime now, Answers& answers) {
  std::size_t added = 0;
  while (!queue.empty() && (failed() || !group_.full())) {
    CommitRequest& request = queue.pop();
    if (failed()) {
      answers.add(request, make_error(EngineErrc::store_unavailable,
                                      "the store takes no writes until it is reopened: " +
                                          failure_->detail));
      continue;
    }
    Result<std::size_t> bytes = sink_.add(request);
    if (!bytes) {
      answers.add(request, std::move(bytes).error());
      continue;
    }
    group_.add(request, *bytes, now);
    ++added;
    if (request.durability == Durability::progress) answers.add(request, ok());
  }
  return added;
}

std::optional<SteadyTime> CommitBatcher::due() const noexcept {
  if (failed()) return std::nullopt;
  return group_.due();
}

void CommitBatcher::write() {
  Result<> written = sink_.write(group_);
  if (!written) failure_ = std::move(written).error();
}

std::size_t CommitBatcher::answer(Answers& answers) {
  if (!failed()) sink_.written();
  return group_.answer(failure_, answers);
}

}  // namespace concerto::persist
