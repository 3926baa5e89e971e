#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include <boost/asio/buffer.hpp>

namespace concerto::net {

/// Bytes that were read from a socket and not used yet. The buffer is small while a connection is
/// idle, grows when reads fill it, and gives the memory back in relax().
class ReadBuffer {
 public:
  static constexpr std::size_t initial_bytes = 1024;
  static constexpr std::size_t retained_bytes_max = 4096;
  /// Larger reads would not save enough time for their memory.
  static constexpr std::size_t read_bytes_max = 64 << 10;

  std::string_view data() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return begin_ == end_; }

  /// Space for a read, at least one byte. The buffer grows beyond read_bytes_max only if unused
  /// data fills it. The limits of the parser that uses the data bound its size.
  boost::asio::mutable_buffer prepare() {
    if (empty()) begin_ = end_ = 0;
    const bool grow =
        capacity_ == 0 || (filled_ && capacity_ < read_bytes_max) || end_ - begin_ == capacity_;
    if (grow) {
      reallocate(std::max(initial_bytes, capacity_ * 4));
    } else if (end_ == capacity_) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return {bytes_.get() + end_, capacity_ - end_};
  }

  void commit(std::size_t bytes) noexcept {
    end_ += bytes;
    filled_ = end_ == capacity_;
  }

  void consume(std::size_t bytes) noexcept { begin_ += bytes; }

  /// Call it when a message has ended: gives back the memory that only large messages need.
  void relax() noexcept {
    if (!empty() || capacity_ <= retained_bytes_max) return;
    bytes_.reset();
    capacity_ = begin_ = end_ = 0;
    filled_ = false;
  }

 private:
  void reallocate(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    const std::size_t size = end_ - begin_;
    if (size > 0) std::memcpy(bytes.get(), bytes_.get() + begin_, size);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
    begin_ = 0;
    end_ = size;
    filled_ = false;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool filled_ = false;  // the last read filled the whole space
};

}  // namespace concerto::net
