#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace concerto::load {

/// Failed transactions, counted by kind: status or code, and the first line of the text.
class Failures {
 public:
  static constexpr std::size_t kinds_max = 50;  ///< later kinds are counted together as `others`
  static constexpr std::size_t text_chars_max = 200;

  struct Kind {
    std::string text;
    std::uint64_t count = 0;
    std::string first_gid;
  };

  /// `text`: as the client has it. Texts that differ only in the gid are of one kind.
  void note(std::string_view gid, std::string_view text);

  std::uint64_t count() const noexcept { return count_; }
  /// In the order in which they appeared.
  const std::vector<Kind>& kinds() const noexcept { return kinds_; }

 private:
  std::uint64_t count_ = 0;
  std::vector<Kind> kinds_;
};

}  // namespace concerto::load
