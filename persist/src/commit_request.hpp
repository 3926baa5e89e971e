#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/engine/store.hpp>

namespace concerto::persist {

/// A change on its way to the committer, and the waiter that gets the answer. A store derives its
/// own type from it, which says what the change is. The request lives where its answer is awaited
/// (in a coroutine's frame or on a thread's stack), so queueing it allocates nothing.
struct CommitRequest {
  Durability durability = Durability::durable;
  /// Whether the change creates a transaction. Only such a change is refused for lack of room, so
  /// that admitted transactions can go on.
  bool creates = false;
  std::size_t bytes = 0;          ///< what the request takes of the queue's room
  CommitRequest* next = nullptr;  ///< of RequestList

  std::optional<Executor> executor;  ///< the waiting coroutine's, with `completion`
  Completion<Result<>> completion;
  std::shared_ptr<std::promise<Result<>>> promise;  ///< set if a thread of the store waits instead
};

/// A list of requests, linked through their `next`.
class RequestList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  void push(CommitRequest& request) noexcept {
    request.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &request;
    last_ = &request;
  }
  CommitRequest& pop() noexcept {
    CommitRequest& request = *first_;
    first_ = request.next;
    if (first_ == nullptr) last_ = nullptr;
    return request;
  }

 private:
  CommitRequest* first_ = nullptr;
  CommitRequest* last_ = nullptr;
};

/// Results on their way to the waiters. `send` makes one post for each shard that has waiters.
/// After `add` the request is not used any more; after `send` its waiter may have destroyed it.
class Answers {
 public:
  using Answer = std::pair<Completion<Result<>>, Result<>>;

  void add(CommitRequest& request, Result<> result);
  void send();

 private:
  struct Shard {
    Executor executor;
    std::vector<Answer> answers;
  };

  std::vector<Shard> shards_;
  std::vector<std::pair<std::shared_ptr<std::promise<Result<>>>, Result<>>> promises_;
};

}  // namespace concerto::persist
