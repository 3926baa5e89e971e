#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/transport/buffer_budget.hpp>
#include <concerto/transport/grpc_call.hpp>

#include "grpc/message_reader.hpp"
#include "http2/send_round.hpp"
#include "http2/stream.hpp"

namespace concerto::net::detail {

/// A coroutine that waits for an event of a Call. Only the Call's SendRound resumes it.
class Waiter {
 public:
  /// False if the wait was cancelled.
  Task<bool> wait(http2::SendRound& round, http2::Stream& stream);

  bool waits() const noexcept { return static_cast<bool>(completion_); }
  bool is_cancelled() const noexcept { return cancelled_; }
  void resume();

 private:
  Completion<bool> completion_;
  bool cancelled_ = false;
};

/// What the calls of clients and servers have in common: messages in both directions with
/// backpressure, size limits and the deadline.
class Call : public http2::Stream {
 public:
  /// Queued bytes above which a writer waits.
  static constexpr std::size_t write_ahead_bytes = 64u << 10;

  ~Call() override = default;

  Task<std::optional<std::string>> read();
  Task<bool> write(std::string message);

  /// True once no message is delivered or accepted any more.
  bool is_over() const noexcept { return over_; }

 protected:
  /// `holder` counts the memory of the call; null at a client.
  Call(http2::SendRound& round, Timers& timers, std::size_t message_bytes_max,
       BufferBudget::Holder* holder, MessageReader::Keep keep = MessageReader::Keep::messages);

  virtual void on_message() = 0;
  /// A message has begun to arrive and is not complete.
  virtual void on_message_begin() {}
  /// The peer broke a limit.
  virtual void on_refused_message(GrpcStatus status) = 0;
  /// A part of a compressed message, or of what follows that message, arrived and was dropped.
  virtual void on_compressed_message() = 0;
  virtual void on_deadline() = 0;

  void on_data(std::string_view bytes) final;
  void on_sent() final;

  void set_deadline(SteadyTime deadline) { deadline_timer_.set(deadline); }
  void wake() { round_.schedule(*this); }
  void set_over();
  std::string take_message();
  /// Drops all messages, also those that arrive later. The peer's window is given back at once.
  void drop_messages();
  /// Takes nothing more from the peer, and forgets what has come.
  void ignore_input() noexcept;
  /// Forgets everything that was received, because the call is made again.
  void forget_messages();
  /// Called by on_round.
  void resume_waiters();
  /// The memory that the call takes besides its messages, until the next call of this function.
  void set_overhead(std::size_t bytes) {
    overhead_bytes_ = bytes;
    account();
  }
  /// Tells the holder how much memory the call takes now. The holder may fail the call meanwhile.
  void account();
  /// The last change of the counted memory: the call ends, and the holder may end too.
  void release();
  std::size_t accounted_input() const noexcept { return input_bytes_; }
  std::size_t accounted_answer() const noexcept { return answer_bytes_; }
  /// Frees the memory of received messages that were not read.
  void forget_input() noexcept { reader_.clear(); }

  Timers& timers() noexcept { return timers_; }

  http2::SendRound& round_;
  MessageReader reader_;
  bool input_ended_ = false;  ///< the peer sends no more messages
  bool data_sent_ = false;

 private:
  Timers& timers_;
  BufferBudget::Holder* const holder_;
  std::size_t input_bytes_ = 0;   ///< what the holder counts for this call
  std::size_t answer_bytes_ = 0;  ///< likewise
  std::size_t overhead_bytes_ = 0;
  std::size_t unconsumed_bytes_ = 0;  ///< received bytes whose window was not given back yet
  Timer deadline_timer_;
  Waiter reading_;
  Waiter writing_;
  bool dropping_ = false;
  bool ignores_input_ = false;
  bool over_ = false;
};

}  // namespace concerto::net::detail
