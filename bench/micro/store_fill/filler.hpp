#pragma once

#include <cstddef>
#include <string>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/async.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/store.hpp>

#include "sample.hpp"

namespace concerto::bench {

/// Writes transactions to a store, many at a time, and reads them back. Uses only the calling
/// thread.
class Filler {
 public:
  /// The store must outlive the filler.
  Filler(Store& store, const SampleOptions& options) : store_(store), options_(options) {}

  /// Empty if every commit of `count` transactions was acknowledged; otherwise what went wrong.
  std::string fill(std::size_t count, std::size_t writers);

  /// Loads every `distance`th of `count` transactions and scans all unfinished ones. Empty, or what
  /// differs from what was written.
  std::string check(std::size_t count, std::size_t distance);

 private:
  Task<void> write_in_turn();
  Task<void> load_sample(std::size_t count, std::size_t distance);
  Task<void> scan_unfinished(std::size_t expected);
  void note(const std::string& wrong);
  std::string run(Task<void> task);

  Store& store_;
  const SampleOptions options_;
  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_{io_.get_executor()};
  std::size_t left_ = 0;
  std::string wrong_;  ///< the first thing that was wrong
};

}  // namespace concerto::bench
