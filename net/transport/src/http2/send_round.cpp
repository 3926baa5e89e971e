#include "http2/send_round.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "http2/connection.hpp"

namespace concerto::net::http2 {
namespace {

/// After so many streams there is a flush, so that the peer can work on their frames while the
/// other streams run. With a single flush at the end, each side would wait while the other works.
constexpr std::size_t streams_per_flush = 32;

}  // namespace

/// The handler that runs a round. If the io_context is destroyed before that, the gathered streams
/// and connections are released. They refer to the owner of the round, and would keep it alive for
/// ever.
class SendRound::Posted {
 public:
  explicit Posted(std::shared_ptr<SendRound> round) : round_(std::move(round)) {}
  Posted(Posted&&) = default;
  ~Posted() {
    if (round_) round_->drop();
  }

  void operator()() { std::exchange(round_, nullptr)->run(); }

 private:
  std::shared_ptr<SendRound> round_;
};

void SendRound::schedule(Stream& stream) {
  if (std::exchange(stream.scheduled_, true)) return;
  streams_.emplace_back(&stream);
  arm();
}

void SendRound::schedule(std::shared_ptr<Connection> connection) {
  connections_.push_back(std::move(connection));
  arm();
}

void SendRound::arm() {
  if (std::exchange(armed_, true)) return;
  asio::post(executor_, Posted{shared_from_this()});
}

void SendRound::run() {
  // Streams come first: what their owners answer at once is sent with the same flush. `armed_`
  // stays set meanwhile, so that no further post is needed.
  running_.swap(streams_);
  std::size_t count = 0;
  for (const StreamPtr& stream : running_) {
    stream->scheduled_ = false;
    stream->on_round();
    if (++count % streams_per_flush == 0) flush();
  }
  running_.clear();
  flush();
  armed_ = false;
  if (!streams_.empty() || !connections_.empty()) arm();
}

void SendRound::flush() {
  flushing_.swap(connections_);
  for (const auto& connection : flushing_) connection->flush();
  flushing_.clear();
}

void SendRound::drop() {
  const auto streams = std::exchange(streams_, {});
  const auto connections = std::exchange(connections_, {});
}

}  // namespace concerto::net::http2
