#include "http2/turn.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "http2/connection.hpp"

namespace concerto::net::http2 {

/// The handler that runs a turn. If its io_context goes instead, so does what was gathered: it
/// refers to the owner of the turn, and nobody would ever let go.
class Turn::Posted {
 public:
  explicit Posted(std::shared_ptr<Turn> turn) : turn_(std::move(turn)) {}
  Posted(Posted&&) = default;
  ~Posted() {
    if (turn_) turn_->drop();
  }

  void operator()() { std::exchange(turn_, nullptr)->run(); }

 private:
  std::shared_ptr<Turn> turn_;
};

void Turn::schedule(Stream& stream) {
  if (std::exchange(stream.scheduled_, true)) return;
  streams_.emplace_back(&stream);
  arm();
}

void Turn::schedule(std::shared_ptr<Connection> connection) {
  connections_.push_back(std::move(connection));
  arm();
}

void Turn::arm() {
  if (std::exchange(armed_, true)) return;
  asio::post(executor_, Posted{shared_from_this()});
}

void Turn::run() {
  // Streams first: what their owners answer at once still leaves with this flush. `armed_` stays
  // set meanwhile, so that this costs no further post.
  running_.swap(streams_);
  for (const StreamPtr& stream : running_) {
    stream->scheduled_ = false;
    stream->on_turn();
  }
  running_.clear();
  flushing_.swap(connections_);
  for (const auto& connection : flushing_) connection->flush();
  flushing_.clear();
  armed_ = false;
  if (!streams_.empty() || !connections_.empty()) arm();
}

void Turn::drop() {
  const auto streams = std::exchange(streams_, {});
  const auto connections = std::exchange(connections_, {});
}

}  // namespace concerto::net::http2
