#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <concerto/transport/buffer_budget.hpp>

#include "message_parser.hpp"

namespace concerto::net {

/// Collects the body of a response, unpacks gzip, and stops at a limit, so that neither a large
/// body nor one that unpacks to a huge size takes more memory. Bytes that are not to be kept take
/// none.
class BodyCollector final : public BodySink {
 public:
  /// Keeps `kept_max` bytes, and searches the rest for `marks`. The memory of a large body counts
  /// in `budget`, if there is one. When the budget needs room, the body is given up:
  /// MessageErrc::no_room.
  explicit BodyCollector(std::size_t bytes_max, std::size_t kept_max = std::string::npos,
                         std::span<const std::string_view> marks = {},
                         BufferBudget* budget = nullptr);
  ~BodyCollector() override;

  void begin(const HttpHeaders& headers) override;
  error_code write(std::string_view bytes) override;

  /// True if the limit was reached; the rest is not read.
  bool truncated() const noexcept { return truncated_; }
  /// True if the body was given up to make room. That may happen between two writes, and after the
  /// last one.
  bool is_given_up() const noexcept { return given_up_; }
  /// False if the packed data ended too early.
  bool is_whole() const noexcept;
  std::string take() { return std::move(body_); }
  /// Bit i is set if marks[i] ends beyond the kept bytes.
  std::uint32_t marks_beyond() const noexcept { return marks_beyond_; }

 private:
  class Inflater;

  class Memory final : public BufferBudget::Holder {
   public:
    Memory(BufferBudget& budget, BodyCollector& owner) : Holder(budget), owner_(owner) {}
    void count(std::size_t bytes) { change_answer(std::exchange(counted_, bytes), bytes); }

   private:
    void shed(Excess excess) override;

    BodyCollector& owner_;
    std::size_t counted_ = 0;
  };

  error_code inflate(std::string_view bytes);
  error_code append(std::string_view bytes);
  void look_through(std::string_view bytes);

  std::size_t bytes_left_;
  std::size_t kept_max_ = std::string::npos;
  std::span<const std::string_view> marks_;
  std::uint32_t marks_beyond_ = 0;
  std::string body_;
  std::string seen_;  ///< the last bytes that were searched
  std::unique_ptr<Inflater> inflater_;
  BufferBudget* budget_;
  std::optional<Memory> memory_;  ///< set once the body is large
  bool given_up_ = false;
  bool truncated_ = false;
};

}  // namespace concerto::net
