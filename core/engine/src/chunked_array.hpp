#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace concerto {

/// An array that grows by chunks. Growing copies nothing, and elements stay where they are. A chunk
/// that is no longer needed is kept for growing again.
template <class T>
class ChunkedArray {
 public:
  T& operator[](std::size_t index) noexcept {
    return chunks_[index / chunk_size][index % chunk_size];
  }
  const T& operator[](std::size_t index) const noexcept {
    return chunks_[index / chunk_size][index % chunk_size];
  }

  void push_back(T value) {
    if (size_ == chunks_.size() * chunk_size) {
      chunks_.push_back(std::make_unique_for_overwrite<T[]>(chunk_size));
    }
    (*this)[size_] = std::move(value);
    ++size_;
  }
  /// Precondition: not empty.
  void pop_back() noexcept { --size_; }

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  static constexpr std::size_t chunk_size = 1024;

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace concerto
