#pragma once

#include <cstddef>
#include <thread>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <concerto/base/error.hpp>

namespace concerto::persist {

/// Threads that read for callers that must not block. Not an asio::thread_pool: if the system
/// starts only some of its threads, its constructor waits for ever.
class ReadThreads {
 public:
  explicit ReadThreads(std::size_t count) : count_(count) {}
  ~ReadThreads() { join(); }
  ReadThreads(const ReadThreads&) = delete;
  ReadThreads& operator=(const ReadThreads&) = delete;

  /// Call it once. Errors: overloaded, if the system does not start all threads; those that were
  /// started end with `join`.
  Result<> start();
  /// Runs everything that was posted, then ends the threads.
  void join();

  boost::asio::io_context::executor_type executor() noexcept { return io_.get_executor(); }

 private:
  const std::size_t count_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  std::vector<std::thread> threads_;
};

}  // namespace concerto::persist
