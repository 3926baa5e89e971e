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
/// nor an explosive body takes more memory than that. What nobody wants to keep takes none.
class BodyCollector final : public BodySink {
 public:
  /// Keeps `kept_max` bytes, and looks through the rest for `marks`. What a large body takes counts
  /// in `budget`, if there is one, and is given up when that needs room: MessageErrc::no_room.
  explicit BodyCollector(std::size_t bytes_max, std::size_t kept_max = std::string::npos,
                         std::span<const std::string_view> marks = {},
                         BufferBudget* budget = nullptr);
  ~BodyCollector() override;

  void begin(const HttpHeaders& headers) override;
  error_code write(std::string_view bytes) override;

  /// The limit was reached and the rest is not read.
  bool truncated() const noexcept { return truncated_; }
  /// Others needed the room. That may happen between two writes, and after the last one.
  bool is_given_up() const noexcept { return given_up_; }
  /// False when the packed data ended too early.
  bool is_whole() const noexcept;
  std::string take() { return std::move(body_); }
  /// Bit i: marks[i] ends behind what was kept.
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
  std::string seen_;  ///< the last bytes before those that are looked through next
  std::unique_ptr<Inflater> inflater_;
  BufferBudget* budget_;
  std::optional<Memory> memory_;  ///< once the body is large
  bool given_up_ = false;
  bool truncated_ = false;
};

}  // namespace concerto::net
