#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concerto::net::http2 {

/// The bytes that a stream still has to send: messages, each with a short head. A body is moved in,
/// and copied only once, into the buffer that is sent.
class SendQueue {
 public:
  static constexpr std::size_t head_bytes_max = 5;

  void push(std::string_view head, std::string body) {
    add(head).own = std::move(body);
    bytes_ += pieces_.back().bytes();
  }

  /// `body` must stay valid until it was sent or the queue was cleared.
  void push_borrowed(std::string_view head, const std::string& body) {
    add(head).borrowed = &body;
    bytes_ += pieces_.back().bytes();
  }

  /// Moves `count` bytes, at most size(), from the front to `out`.
  void take(char* out, std::size_t count) {
    bytes_ -= count;
    while (count > 0) {
      const std::string_view next = front();
      const std::size_t now = std::min(next.size(), count);
      std::memcpy(out, next.data(), now);
      out += now;
      count -= now;
      taken_ += now;
      if (taken_ == pieces_[first_].bytes()) pop();
    }
  }

  std::size_t size() const noexcept { return bytes_; }
  bool empty() const noexcept { return bytes_ == 0; }

  void clear() noexcept {
    pieces_.clear();
    first_ = taken_ = bytes_ = 0;
  }

 private:
  struct Piece {
    std::array<char, head_bytes_max> head;
    std::size_t head_bytes = 0;
    std::string own;
    const std::string* borrowed = nullptr;
    const std::string& body() const noexcept { return borrowed ? *borrowed : own; }
    std::size_t bytes() const noexcept { return head_bytes + body().size(); }
  };

  Piece& add(std::string_view head) {
    Piece& piece = pieces_.emplace_back();
    piece.head_bytes = std::min(head.size(), head_bytes_max);
    std::copy_n(head.data(), piece.head_bytes, piece.head.data());
    return piece;
  }

  std::string_view front() const noexcept {
    const Piece& piece = pieces_[first_];
    if (taken_ < piece.head_bytes) {
      return std::string_view(piece.head.data(), piece.head_bytes).substr(taken_);
    }
    return std::string_view(piece.body()).substr(taken_ - piece.head_bytes);
  }

  void pop() {
    taken_ = 0;
    pieces_[first_].own = {};
    if (++first_ < pieces_.size()) return;
    pieces_.clear();
    first_ = 0;
  }

  std::vector<Piece> pieces_;
  std::size_t first_ = 0;  ///< pieces before this index were sent
  std::size_t taken_ = 0;  ///< sent bytes of the first piece
  std::size_t bytes_ = 0;
};

}  // namespace concerto::net::http2
