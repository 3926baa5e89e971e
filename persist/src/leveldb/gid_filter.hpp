#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fingerprint.hpp"

namespace concerto::persist {

/// A Bloom filter in which each key uses one cache line. It answers "certainly not here" or "maybe
/// here". Not thread-safe.
class GidFilter {
 public:
  /// Has room for about `bytes` * 8 / 14 keys. Then about one answer in some hundred is a wrong
  /// "maybe".
  explicit GidFilter(std::size_t bytes);

  void insert(const Fingerprint& fingerprint) noexcept;
  bool may_contain(const Fingerprint& fingerprint) const noexcept;
  /// Fetches the cache line that `may_contain` will read.
  void prefetch(const Fingerprint& fingerprint) const noexcept;

  std::size_t keys() const noexcept { return keys_; }
  std::size_t bytes() const noexcept { return words_.size() * sizeof(std::uint64_t); }

  /// The filter as bytes, and back. False if the bytes are not a filter.
  std::string encode() const;
  bool decode(std::string_view bytes);

 private:
  static constexpr std::size_t line_words = 8;

  std::size_t line_of(const Fingerprint& fingerprint) const noexcept;

  std::vector<std::uint64_t> words_;
  std::size_t lines_;
  std::size_t keys_ = 0;
};

}  // namespace concerto::persist
