#include "grpc/call.hpp"

#include <utility>

#include "grpc/wire.hpp"
#include "http2/session.hpp"

namespace concerto::net::detail {

Task<bool> Waiter::wait(http2::SendRound& round, http2::Stream& stream) {
  cancelled_ = false;
  const auto start = [this, &round, &stream](Completion<bool> completion) {
    completion_ = std::move(completion);
    if (auto slot = completion_.cancellation_slot(); slot.is_connected()) {
      slot.assign([this, &round, &stream](asio::cancellation_type) {
        cancelled_ = true;
        round.schedule(stream);
      });
    }
  };
  return suspend<bool>(start);
}

void Waiter::resume() {
  Completion<bool> completion = std::move(completion_);
  if (auto slot = completion.cancellation_slot(); slot.is_connected()) slot.clear();
  completion(!cancelled_);
}

Call::Call(http2::SendRound& round, Timers& timers, std::size_t message_bytes_max,
           BufferBudget::Holder* holder, MessageReader::Keep keep)
    : round_(round),
      reader_(message_bytes_max, keep),
      timers_(timers),
      holder_(holder),
      deadline_timer_(timers, [this] { on_deadline(); }) {}

void Call::release() {
  if (!holder_) return;
  holder_->change_input(std::exchange(input_bytes_, 0), 0);
  holder_->change_answer(std::exchange(answer_bytes_, 0), 0);
}

Task<std::optional<std::string>> Call::read() {
  const http2::StreamPtr held(this);
  while (!reader_.has_message()) {
    if (input_ended_ || over_) co_return std::nullopt;
    if (!co_await reading_.wait(round_, *this)) co_return std::nullopt;
  }
  co_return take_message();
}

Task<bool> Call::write(std::string message) {
  const http2::StreamPtr held(this);
  if (over_ || out_ended_) co_return false;
  const auto head = message_head(message.size());
  out_.push({head.data(), head.size()}, std::move(message));
  account();
  if (is_open()) session()->resume(*this);
  while (!over_ && out_.size() > write_ahead_bytes) {
    if (!co_await writing_.wait(round_, *this)) break;
  }
  co_return !over_;
}

void Call::on_data(std::string_view bytes) {
  // The window of an incomplete message is given back at once, because the size limit bounds the
  // message. Bytes that follow an unread message give their window back when that message is read.
  const bool is_ignored = over_ || ignores_input_;
  if (is_ignored || !reader_.has_message()) {
    session()->consumed(*this, bytes.size());
  } else {
    unconsumed_bytes_ += bytes.size();
  }
  if (is_ignored) return;
  const bool was_inside = reader_.inside_message();
  const std::size_t complete = reader_.message_count();
  const MessageReader::State state = reader_.feed(bytes);
  if (reader_.inside_message() && (!was_inside || reader_.message_count() > complete)) {
    on_message_begin();
  }
  account();
  if (over_ || ignores_input_) return;
  if (state == MessageReader::State::too_large) {
    return on_refused_message(
        {GrpcCode::resource_exhausted, "received message larger than max (" +
                                           std::to_string(reader_.announced_bytes()) + " bytes)"});
  }
  if (state == MessageReader::State::compressed) return on_compressed_message();
  if (dropping_) return drop_messages();
  if (reader_.has_message()) on_message();
}

void Call::on_sent() {
  data_sent_ = true;
  account();
  if (writing_.waits() && out_.size() <= write_ahead_bytes) wake();
}

void Call::set_over() {
  over_ = true;
  deadline_timer_.cancel();
  wake();
}

std::string Call::take_message() {
  std::string message = reader_.pop();
  account();
  if (!reader_.has_message() && unconsumed_bytes_ > 0 && is_open()) {
    session()->consumed(*this, std::exchange(unconsumed_bytes_, 0));
  }
  return message;
}

void Call::drop_messages() {
  dropping_ = true;
  while (reader_.has_message()) take_message();
}

void Call::ignore_input() noexcept {
  ignores_input_ = true;
  forget_input();
}

void Call::forget_messages() {
  reader_.clear();
  account();
  input_ended_ = data_sent_ = false;
  unconsumed_bytes_ = 0;
}

void Call::resume_waiters() {
  const bool readable = reader_.has_message() || input_ended_ || over_;
  if (reading_.waits() && (readable || reading_.is_cancelled())) reading_.resume();
  const bool writable = over_ || out_.size() <= write_ahead_bytes;
  if (writing_.waits() && (writable || writing_.is_cancelled())) writing_.resume();
}

void Call::account() {
  if (!holder_) return;
  const std::size_t input = overhead_bytes_ + reader_.held_bytes();
  const std::size_t input_before = std::exchange(input_bytes_, input);
  if (input != input_before) holder_->change_input(input_before, input);
  // change_input may have failed the call and cleared its answer.
  const std::size_t answer = out_.size();
  const std::size_t answer_before = std::exchange(answer_bytes_, answer);
  if (answer != answer_before) holder_->change_answer(answer_before, answer);
}

}  // namespace concerto::net::detail
