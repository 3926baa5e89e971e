#include "commit_request.hpp"

#include <algorithm>

namespace concerto::persist {
namespace {

/// The number of waiters that are resumed in one go. Then the shard sends the branch calls that
/// these waiters have made, so that the branches work while the next waiters are resumed.
constexpr std::size_t resumed_in_a_row = 32;

/// Resumes the waiters of one shard. Runs on that shard.
class Resumption {
 public:
  Resumption(const Executor& executor, std::vector<Answers::Answer> answers)
      : executor_(executor), answers_(std::move(answers)) {}

  void operator()() {
    const std::size_t end = std::min(next_ + resumed_in_a_row, answers_.size());
    for (; next_ < end; ++next_) {
      auto& [completion, result] = answers_[next_];
      completion(std::move(result));
    }
    if (next_ == answers_.size()) return;
    const Executor executor = executor_;
    asio::post(executor, std::move(*this));
  }

 private:
  Executor executor_;
  std::vector<Answers::Answer> answers_;
  std::size_t next_ = 0;
};

}  // namespace

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

void Answers::send() {
  for (Shard& shard : shards_) {
    if (shard.answers.empty()) continue;
    asio::post(shard.executor, Resumption{shard.executor, std::move(shard.answers)});
    shard.answers.clear();
  }
  for (auto& [promise, result] : promises_) promise->set_value(std::move(result));
  promises_.clear();
}

}  // namespace concerto::persist
