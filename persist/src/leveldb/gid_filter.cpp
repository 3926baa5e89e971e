#include "gid_filter.hpp"

#include <algorithm>

#include "crc32c.hpp"
#include "wire.hpp"

namespace concerto::persist {
namespace {

constexpr int probes = 6;
constexpr std::size_t line_bytes = 64;

}  // namespace

GidFilter::GidFilter(std::size_t bytes)
    : words_(std::max<std::size_t>(bytes / line_bytes, 1) * line_words),
      lines_(words_.size() / line_words) {}

std::size_t GidFilter::line_of(const Fingerprint& fingerprint) const noexcept {
  // 32 bits of the high half, scaled to the number of lines.
  return static_cast<std::size_t>((fingerprint.high >> 32) * lines_ >> 32) * line_words;
}

void GidFilter::insert(const Fingerprint& fingerprint) noexcept {
  std::uint64_t* line = words_.data() + line_of(fingerprint);
  std::uint64_t bits = fingerprint.low;
  for (int i = 0; i < probes; ++i, bits >>= 9) {
    line[(bits >> 6) & 7] |= std::uint64_t{1} << (bits & 63);
  }
  ++keys_;
}

bool GidFilter::may_contain(const Fingerprint& fingerprint) const noexcept {
  const std::uint64_t* line = words_.data() + line_of(fingerprint);
  std::uint64_t bits = fingerprint.low;
  for (int i = 0; i < probes; ++i, bits >>= 9) {
    if ((line[(bits >> 6) & 7] >> (bits & 63) & 1) == 0) return false;
  }
  return true;
}

void GidFilter::prefetch(const Fingerprint& fingerprint) const noexcept {
  __builtin_prefetch(words_.data() + line_of(fingerprint));
}

std::string GidFilter::encode() const {
  std::string bytes;
  bytes.reserve(words_.size() * sizeof(std::uint64_t) + 12);
  Encoder out(bytes);
  out.u64(keys_);
  for (const std::uint64_t word : words_) out.u64(word);
  const std::uint32_t checksum = crc32c(0, bytes);
  out.u32(checksum);
  return bytes;
}

bool GidFilter::decode(std::string_view bytes) {
  if (bytes.size() < 12 + line_bytes || (bytes.size() - 12) % line_bytes != 0) return false;
  Decoder tail(bytes.substr(bytes.size() - 4));
  if (crc32c(0, bytes.substr(0, bytes.size() - 4)) != tail.u32()) return false;
  Decoder in(bytes);
  keys_ = in.u64();
  words_.assign((bytes.size() - 12) / sizeof(std::uint64_t), 0);
  for (std::uint64_t& word : words_) word = in.u64();
  lines_ = words_.size() / line_words;
  return true;
}

}  // namespace concerto::persist
