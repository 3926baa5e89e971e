#include "body_collector.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <zlib.h>

namespace concerto::net {
namespace {

constexpr std::size_t inflate_step_bytes = 16 << 10;
/// A body up to this size is not counted in the budget.
constexpr std::size_t uncounted_bytes_max = 64 << 10;
constexpr int gzip_window_bits = 15 + 16;  // tells zlib to expect a gzip header

bool is_gzip(const HttpHeaders& headers) {
  const auto coding = headers.find("Content-Encoding");
  return coding &&
         (equals_ignoring_case(*coding, "gzip") || equals_ignoring_case(*coding, "x-gzip"));
}

}  // namespace

/// Owns a stream of zlib.
class BodyCollector::Inflater {
 public:
  Inflater() {
    usable_ = inflateInit2(&stream_, gzip_window_bits) == Z_OK;
    broken_ = !usable_;
  }
  ~Inflater() {
    if (usable_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  void set_input(std::string_view bytes) noexcept {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
  }

  /// Unpacks into `out`, including what precedes broken data.
  std::string_view step(std::array<char, inflate_step_bytes>& out) noexcept {
    if (broken_) return {};
    // A gzip file may have several members.
    if (at_end_ && stream_.avail_in > 0) broken_ = inflateReset(&stream_) != Z_OK;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    broken_ |= status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
    at_end_ = status == Z_STREAM_END;
    return {out.data(), out.size() - stream_.avail_out};
  }

  bool is_broken() const noexcept { return broken_; }

  bool wants_input() const noexcept { return stream_.avail_in == 0 && stream_.avail_out > 0; }
  /// False if the packed data ended inside a stream.
  bool is_whole() const noexcept { return at_end_ || stream_.total_in == 0; }

 private:
  z_stream stream_{};
  bool usable_ = false;
  bool broken_ = false;
  bool at_end_ = false;
};

BodyCollector::BodyCollector(std::size_t bytes_max, std::size_t kept_max,
                             std::span<const std::string_view> marks, BufferBudget* budget)
    : bytes_left_(bytes_max), kept_max_(kept_max), marks_(marks), budget_(budget) {}

BodyCollector::~BodyCollector() = default;

void BodyCollector::begin(const HttpHeaders& headers) {
  if (is_gzip(headers)) inflater_ = std::make_unique<Inflater>();
}

error_code BodyCollector::write(std::string_view bytes) {
  if (inflater_) return inflate(bytes);
  return append(bytes);
}

error_code BodyCollector::inflate(std::string_view bytes) {
  std::array<char, inflate_step_bytes> step;
  inflater_->set_input(bytes);
  do {
    // The limit is checked first, so that the error does not depend on how the input was cut into
    // pieces.
    if (const error_code error = append(inflater_->step(step))) return error;
    if (inflater_->is_broken()) return MessageErrc::broken_gzip;
  } while (!inflater_->wants_input());
  return {};
}

error_code BodyCollector::append(std::string_view bytes) {
  truncated_ = bytes.size() > bytes_left_;
  bytes = bytes.substr(0, bytes_left_);
  bytes_left_ -= bytes.size();
  const std::size_t kept = std::min(bytes.size(), kept_max_ - body_.size());
  if (!given_up_) body_.append(bytes.substr(0, kept));
  if (budget_ && body_.capacity() > uncounted_bytes_max) {
    if (!memory_) memory_.emplace(*budget_, *this);
    memory_->count(body_.capacity());
  }
  if (given_up_) return MessageErrc::no_room;
  if (kept < bytes.size()) look_through(bytes.substr(kept));
  if (truncated_) return MessageErrc::body_too_large;
  return {};
}

void BodyCollector::Memory::shed(Excess /*excess*/) {
  owner_.given_up_ = true;
  std::string().swap(owner_.body_);  // An assignment would keep its space.
  count(0);
}

void BodyCollector::look_through(std::string_view bytes) {
  if (marks_.empty()) return;
  const std::size_t overlap = std::ranges::max(marks_, {}, &std::string_view::size).size() - 1;
  const auto last = [overlap](std::string_view text) {
    return text.substr(text.size() - std::min(text.size(), overlap));
  };
  // A mark may begin in an earlier piece.
  std::string seam{seen_.empty() ? last(body_) : seen_};
  seam.append(bytes.substr(0, overlap));
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    const bool is_there = seam.find(marks_[i]) != seam.npos || bytes.find(marks_[i]) != bytes.npos;
    if (is_there) marks_beyond_ |= std::uint32_t{1} << i;
  }
  seen_ = last(bytes.size() < overlap ? std::string_view{seam} : bytes);
}

bool BodyCollector::is_whole() const noexcept {
  return !inflater_ || inflater_->is_whole();
}

}  // namespace concerto::net
