#include "http2/turn.hpp"

#include <utility>

#include <boost/asio/post.hpp>

#include "http2/connection.hpp"

namespace concerto::net::http2 {

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
  asio::post(executor_, [self = shared_from_this()] { self->run(); });
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

}  // namespace concerto::net::http2
