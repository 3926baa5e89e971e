#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace concerto::net::detail {

/// Cuts a stream of bytes into gRPC's length-prefixed messages.
class MessageReader {
 public:
  enum class State : std::uint8_t {
    reading,
    too_large,   ///< a message is longer than allowed; its bytes are not kept
    compressed,  ///< a message has the compressed flag
  };

  enum class Keep : bool {
    nothing,  ///< messages are counted and checked, and each is returned as an empty one
    messages,
  };

  explicit MessageReader(std::size_t bytes_max, Keep keep = Keep::messages) noexcept
      : bytes_max_(bytes_max), keep_(keep) {}

  /// Once the state is not `reading`, it stays the same until `clear`.
  State feed(std::string_view bytes);

  bool has_message() const noexcept { return first_ < ready_.size(); }
  std::size_t message_count() const noexcept { return ready_.size() - first_; }
  std::string pop();

  /// True if the bytes so far end inside a message.
  bool inside_message() const noexcept { return head_bytes_ > 0; }
  /// The memory of complete messages, of their places in the queue, and of an incomplete message.
  std::size_t held_bytes() const noexcept {
    return ready_bytes_ + (inside_message() ? partial_.capacity() : 0);
  }
  /// The number of bytes that were fed since the beginning or `clear`.
  std::size_t received_bytes() const noexcept { return received_bytes_; }
  /// The announced length of the last message, even if it is too large.
  std::size_t announced_bytes() const noexcept { return announced_bytes_; }

  /// Returns to the initial state.
  void clear() noexcept;

 private:
  bool take_head(std::string_view& bytes);

  const std::size_t bytes_max_;
  const Keep keep_;
  State state_ = State::reading;
  std::array<char, 5> head_{};
  std::size_t head_bytes_ = 0;
  std::size_t announced_bytes_ = 0;
  std::size_t read_bytes_ = 0;  ///< of the message that is being read
  std::size_t received_bytes_ = 0;
  std::string partial_;
  std::vector<std::string> ready_;
  std::size_t first_ = 0;
  std::size_t ready_bytes_ = 0;
};

}  // namespace concerto::net::detail
