#pragma once

#include <string>

#include <boost/intrusive/list.hpp>

#include <concerto/base/notifier.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/http_error.hpp>

#include "byte_stream.hpp"

namespace concerto::net {

struct HolderTag;
using HolderHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<HolderTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// The deadline of one request. At the deadline it interrupts what the request waits for, a socket
/// or a notifier. A client that closes ends its requests in the same way.
class CallDeadline : public boost::intrusive::list_base_hook<
                         boost::intrusive::link_mode<boost::intrusive::auto_unlink>>,
                     public HolderHook {
 public:
  class Holders;

  CallDeadline(Timers& timers, SteadyTime at);
  CallDeadline(const CallDeadline&) = delete;
  CallDeadline& operator=(const CallDeadline&) = delete;

  SteadyTime at() const noexcept { return at_; }
  bool is_over() const noexcept { return over_ != Over::no; }
  /// True if the deadline ended the request. False if it was ended for another reason before.
  bool has_passed() const noexcept { return over_ == Over::time; }

  /// Ends this request because its client closes.
  void close() { end(Over::closing); }

  /// This request holds a connection that other requests may need.
  void hold(Holders& with);
  void let_go() noexcept { HolderHook::unlink(); }

  /// From now on bytes of the request may have reached the server.
  void mark_sent() noexcept { sent_ = true; }
  bool sent() const noexcept { return sent_; }

  /// The error of an operation that failed. If this object ended the request, the error says so;
  /// else it is `otherwise` with `detail`.
  Error explain(const error_code& cause, HttpErrc otherwise, std::string detail) const;

  /// Names the socket or notifier that is interrupted while this object lives.
  class Watch {
   public:
    Watch(CallDeadline& deadline, Socket& socket) : deadline_(deadline) {
      deadline_.socket_ = &socket;
    }
    Watch(CallDeadline& deadline, Notifier& notifier) : deadline_(deadline) {
      deadline_.notifier_ = &notifier;
    }
    ~Watch() {
      deadline_.socket_ = nullptr;
      deadline_.notifier_ = nullptr;
    }
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

   private:
    CallDeadline& deadline_;
  };

 private:
  enum class Over { no, time, closing, gave_way };

  void end(Over reason);

  Timers& timers_;
  SteadyTime at_;
  SteadyTime held_since_{};
  Over over_ = Over::no;
  bool sent_ = false;
  Socket* socket_ = nullptr;
  Notifier* notifier_ = nullptr;
  Timer timer_;
};

/// The requests that hold connections to one host, in the order in which they got them.
class CallDeadline::Holders {
 public:
  /// Ends the oldest request if it has held its connection since `since` or longer.
  bool end_oldest(SteadyTime since);

 private:
  friend class CallDeadline;

  boost::intrusive::list<CallDeadline, boost::intrusive::base_hook<HolderHook>,
                         boost::intrusive::constant_time_size<false>>
      calls_;
};

}  // namespace concerto::net
