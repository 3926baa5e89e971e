#include "commit_request.hpp"

#include <algorithm>

namespace concerto::persist {

void Answers::add(CommitRequest& request, Result<> result) {
  if (request.promise) {
    promises_.emplace_back(std::move(request.promise), std::move(result));
    return;
  }
  auto shard = std::find_if(shards_.begin(), shards_.end(), [&request](const Shard& known) {
    return known.executor == *request.executor;
  });
  if (shard == shards_.end()) {
    shards_.push_back({*request.executor, {}});
    shard = std::prev(shards_.end());
  }
  shard->answers.emplace_back(std::move(request.completion), std::move(result));
}

// A request ends with its answer: its memory may be gone once its waiter runs.
void Answers::send() {
  for (Shard& shard : shards_) {
    if (shard.answers.empty()) continue;
    asio::post(shard.executor, [answers = std::move(shard.answers)]() mutable {
      for (auto& [completion, result] : answers) completion(std::move(result));
    });
    shard.answers.clear();
  }
  for (auto& [promise, result] : promises_) promise->set_value(std::move(result));
  promises_.clear();
}

}  // namespace concerto::persist
