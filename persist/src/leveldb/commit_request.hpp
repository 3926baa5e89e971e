#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <concerto/engine/store.hpp>

#include "record.hpp"

namespace concerto::persist {

/// A change between the shard that made it and the committer. It lives where it is awaited (a
/// coroutine's frame or a thread's stack), so queueing allocates nothing.
struct CommitRequest {
  enum class Kind : std::uint8_t { create, update, kv_create, kv_update, kv_erase, move, append };

  Kind kind = Kind::append;
  Durability durability = Durability::durable;
  EncodedRecord record;  ///< of kv changes: made when they are ordered
  Fingerprint fingerprint;
  const Transaction* trans = nullptr;   ///< create
  const UpdateTrans* update = nullptr;  ///< update
  const KvRecord* kv = nullptr;         ///< kv changes
  Place moved_from;                     ///< move: the last record of which `record` is the sum

  Place place;  ///< where the record stands, once it is ordered
  std::size_t bytes = 0;
  CommitRequest* next = nullptr;

  std::optional<Executor> executor;  ///< with `completion`: a coroutine waits
  Completion<Result<>> completion;
  std::shared_ptr<std::promise<Result<>>> promise;  ///< else: a thread of the store waits
};

/// A list of requests, linked through them.
class RequestList {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  void push(CommitRequest& request) noexcept {
    request.next = nullptr;
    (last_ == nullptr ? first_ : last_->next) = &request;
    last_ = &request;
  }
  CommitRequest& front() noexcept { return *first_; }
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

/// Results on their way to the waiters: one post per shard and group.
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
