#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "redis_lane.hpp"

namespace concerto::persist {

/// Answers on their way to the waiters: one post for each shard.
class RedisLane::Answers {
 public:
  void add(Ask& ask, Answer answer) {
    if (ask.promise) ask.promise->set_value(std::move(answer));
    if (!ask.completion) return;
    auto shard = std::ranges::find(shards_, *ask.executor, &Shard::executor);
    if (shard == shards_.end()) shard = shards_.insert(shard, Shard{*ask.executor, {}});
    shard->waiting.push_back({std::move(ask.completion), std::move(answer)});
  }

  ~Answers() {
    for (Shard& shard : shards_) {
      asio::post(shard.executor, [waiting = std::move(shard.waiting)]() mutable {
        for (auto& [completion, answer] : waiting) completion(std::move(answer));
      });
    }
  }

 private:
  struct Waiting {
    Completion<Answer> completion;
    Answer answer;
  };
  struct Shard {
    Executor executor;
    std::vector<Waiting> waiting;
  };

  std::vector<Shard> shards_;
};

}  // namespace concerto::persist
