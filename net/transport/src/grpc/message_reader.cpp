#include "grpc/message_reader.hpp"

#include <algorithm>
#include <utility>

namespace concerto::net::detail {
namespace {

/// No more space than this is reserved for an announced message, because the announcement costs the
/// peer only 5 bytes.
constexpr std::size_t reserve_bytes_max = 64u << 10;

/// An empty queue keeps this many places for the next messages.
constexpr std::size_t kept_places_max = 64;

/// The memory of a complete message. The queue may have twice as many places as messages.
std::size_t bytes_of(const std::string& message) noexcept {
  return message.capacity() + 2 * sizeof(std::string);
}

}  // namespace

MessageReader::State MessageReader::feed(std::string_view bytes) {
  received_bytes_ += bytes.size();
  while (state_ == State::reading && take_head(bytes)) {
    const std::size_t now = std::min(bytes.size(), announced_bytes_ - read_bytes_);
    if (keep_ == Keep::messages) partial_.append(bytes.substr(0, now));
    read_bytes_ += now;
    bytes.remove_prefix(now);
    if (read_bytes_ < announced_bytes_) break;
    ready_bytes_ += bytes_of(partial_);
    ready_.push_back(std::exchange(partial_, {}));
    head_bytes_ = read_bytes_ = 0;
  }
  return state_;
}

/// False if the head is incomplete or is refused.
bool MessageReader::take_head(std::string_view& bytes) {
  if (head_bytes_ == head_.size()) return true;
  const std::size_t now = std::min(bytes.size(), head_.size() - head_bytes_);
  std::copy_n(bytes.data(), now, head_.data() + head_bytes_);
  head_bytes_ += now;
  bytes.remove_prefix(now);
  if (head_bytes_ < head_.size()) return false;
  announced_bytes_ = 0;
  for (std::size_t i = 1; i < head_.size(); ++i) {
    announced_bytes_ = announced_bytes_ << 8 | static_cast<unsigned char>(head_[i]);
  }
  if (head_[0] != 0) {
    state_ = State::compressed;
  } else if (announced_bytes_ > bytes_max_) {
    state_ = State::too_large;
  }
  if (state_ != State::reading) return false;
  if (keep_ == Keep::messages) partial_.reserve(std::min(announced_bytes_, reserve_bytes_max));
  return true;
}

std::string MessageReader::pop() {
  std::string message = std::move(ready_[first_]);
  ready_bytes_ -= bytes_of(message);
  if (++first_ == ready_.size()) {
    ready_.clear();
    first_ = 0;
    if (ready_.capacity() > kept_places_max) ready_ = std::vector<std::string>();
  } else if (first_ > kept_places_max && first_ * 2 > ready_.size()) {
    // If the queue never becomes empty, the places of messages that were read must be freed too.
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  return message;
}

void MessageReader::clear() noexcept {
  std::string().swap(partial_);  // An assignment would keep its space.
  ready_ = std::vector<std::string>();
  first_ = head_bytes_ = announced_bytes_ = ready_bytes_ = read_bytes_ = received_bytes_ = 0;
  state_ = State::reading;
}

}  // namespace concerto::net::detail
