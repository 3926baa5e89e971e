#include "read_threads.hpp"

#include <utility>

#include <concerto/base/start_thread.hpp>

namespace concerto::persist {

Result<> ReadThreads::start() {
  threads_.reserve(count_);
  while (threads_.size() < count_) {
    std::thread thread;
    CONCERTO_CHECK(start_thread(thread, "that reads", [this] { io_.run(); }));
    threads_.push_back(std::move(thread));
  }
  return ok();
}

void ReadThreads::join() {
  work_.reset();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace concerto::persist
