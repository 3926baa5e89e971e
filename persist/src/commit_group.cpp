#include "commit_group.hpp"

#include <concerto/base/assert.hpp>
#include <concerto/engine/error.hpp>

namespace concerto::persist {

void CommitGroup::refuse(std::size_t index, Error error) {
  CONCERTO_ASSERT(index < waiting_.size() && waiting_[index] != nullptr);
  refused_.emplace_back(std::exchange(waiting_[index], nullptr), std::move(error));
}

std::size_t CommitGroup::answer(const std::optional<Error>& failure, Answers& answers) {
  const std::size_t answered = waiting_.size();
  for (CommitRequest* request : waiting_) {
    if (request == nullptr) continue;
    if (failure) {
      answers.add(*request, make_error(EngineErrc::store_failed, failure->detail));
    } else {
      answers.add(*request, ok());
    }
  }
  for (auto& [request, error] : refused_) answers.add(*request, std::move(error));
  waiting_.clear();
  refused_.clear();
  changes_ = bytes_ = 0;
  return answered;
}

}  // namespace concerto::persist
