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

/// A coroutine that waits for something a Call announces. Resumed by the Call's SendRound only.
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

/// What both sides of a call have in common: messages in both directions with their backpressure,
/// the size limits and the deadline.
class Call : public http2::Stream {
 public:
  /// Queued bytes above which a writer waits.
  static constexpr std::size_t write_ahead_bytes = 64u << 10;

  ~Call() override = default;

  Task<std::optional<std::string>> read();
  Task<bool> write(std::string message);

  /// No message is delivered or taken any more.
  bool is_over() const noexcept { return over_; }

 protected:
  /// `holder` answers for the memory of the call; null at a client.
  Call(http2::SendRound& round, Timers& timers, std::size_t message_bytes_max,
       BufferBudget::Holder* holder, MessageReader::Keep keep = MessageReader::Keep::messages);

  virtual void on_message() = 0;
  /// A message has begun to arrive and is not complete.
  virtual void on_message_begin() {}
  /// The peer broke a limit.
  virtual void on_refused_message(GrpcStatus status) = 0;
  /// A part of a compressed message, or of what follows it, came and was dropped.
  virtual void on_compressed_message() = 0;
  virtual void on_deadline() = 0;

  void on_data(std::string_view bytes) final;
  void on_sent() final;

  void set_deadline(SteadyTime deadline) { deadline_timer_.set(deadline); }
  void wake() { round_.schedule(*this); }
  void set_over();
  std::string take_message();
  /// Drops what was and what will be received; the peer is not held up by it.
  void drop_messages();
  /// What was received belongs to a try that does not count.
  void forget_messages();
  /// Called by on_round.
  void resume_waiters();
  /// What the call takes beside its messages, until it is changed.
  void set_overhead(std::size_t bytes) {
    overhead_bytes_ = bytes;
    account();
  }
  /// Tells the holder what the call takes now. The holder may fail the call in it.
  void account();
  /// The last change: the call ends, and its holder may end with it.
  void release();
  std::size_t accounted_input() const noexcept { return input_bytes_; }
  std::size_t accounted_answer() const noexcept { return answer_bytes_; }
  /// Frees what was received and is not read yet.
  void forget_input() noexcept { reader_.clear(); }

  Timers& timers() noexcept { return timers_; }

  http2::SendRound& round_;
  MessageReader reader_;
  bool input_ended_ = false;  ///< the peer sends no more messages
  bool data_sent_ = false;

 private:
  Timers& timers_;
  BufferBudget::Holder* const holder_;
  std::size_t input_bytes_ = 0;   ///< of this call, at its holder
  std::size_t answer_bytes_ = 0;  ///< the same
  std::size_t overhead_bytes_ = 0;
  std::size_t unconsumed_bytes_ = 0;  ///< received, window not given back yet
  Timer deadline_timer_;
  Waiter reading_;
  Waiter writing_;
  bool dropping_ = false;
  bool over_ = false;
};

}  // namespace concerto::net::detail
