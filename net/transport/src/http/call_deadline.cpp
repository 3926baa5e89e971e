#include "call_deadline.hpp"

#include <utility>

namespace concerto::net {

CallDeadline::CallDeadline(Timers& timers, SteadyTime at)
    : timers_(timers), at_(at), timer_(timers, [this] { end(Over::time); }) {
  if (timers.now() >= at) {
    over_ = Over::time;
  } else {
    timer_.set(at);
  }
}

void CallDeadline::end(Over reason) {
  if (is_over()) return;
  over_ = reason;
  error_code ignored;
  if (socket_) socket_->close(ignored);
  if (notifier_) notifier_->notify_all();
}

void CallDeadline::hold(Holders& with) {
  held_since_ = timers_.now();
  with.calls_.push_back(*this);
}

bool CallDeadline::Holders::end_oldest(SteadyTime since) {
  if (calls_.empty() || calls_.front().held_since_ > since) return false;
  CallDeadline& oldest = calls_.front();
  oldest.let_go();
  oldest.end(Over::gave_way);
  return true;
}

Error CallDeadline::explain(const error_code& cause, HttpErrc otherwise, std::string detail) const {
  if (over_ == Over::time) {
    return make_error(sent_ ? HttpErrc::timed_out : HttpErrc::timed_out_unsent,
                      detail + ": deadline exceeded");
  }
  if (over_ == Over::closing) {
    return make_error(sent_ ? HttpErrc::cancelled : HttpErrc::closing,
                      detail + ": the client is closing");
  }
  if (over_ == Over::gave_way) {
    return make_error(sent_ ? HttpErrc::connection_lost : HttpErrc::timed_out_unsent,
                      detail + ": ended to make room for calls to other services");
  }
  if (cause == asio::error::operation_aborted) {
    return make_error(HttpErrc::cancelled, detail + ": cancelled");
  }
  if (cause) detail.append(": ").append(cause.message());
  return make_error(otherwise, std::move(detail));
}

}  // namespace concerto::net
