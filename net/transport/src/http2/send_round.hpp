#pragma once

#include <memory>
#include <vector>

#include <concerto/base/async.hpp>

#include "http2/stream.hpp"

namespace concerto::net::http2 {

class Connection;

/// Gathers work: streams with events for their owners, and connections with bytes to send. One
/// post, which runs after the handlers that are ready already, does all of it. So the frames of
/// several streams go out in one write.
class SendRound : public std::enable_shared_from_this<SendRound> {
 public:
  explicit SendRound(Executor executor) : executor_(std::move(executor)) {}

  /// Calls the stream's on_round soon, once.
  void schedule(Stream& stream);
  /// Flushes the connection soon. The caller must not schedule it twice.
  void schedule(std::shared_ptr<Connection> connection);

  const Executor& executor() const noexcept { return executor_; }

 private:
  class Posted;

  void arm();
  void run();
  void flush();
  void drop();

  Executor executor_;
  bool armed_ = false;
  std::vector<StreamPtr> streams_;
  std::vector<StreamPtr> running_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> flushing_;
};

}  // namespace concerto::net::http2
