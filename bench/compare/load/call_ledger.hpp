#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concerto::bench {

/// Which branches of which saga were called. Gids are numbered, `<prefix>-<number>`, so that a
/// call costs no look-up by text. All are of one length: the reference stores a branch under its
/// gid with a number behind it, so that one gid must not be the beginning of another.
class CallLedger {
 public:
  explicit CallLedger(std::string prefix) : prefix_(std::move(prefix) + "-") {}

  /// The gid of one more saga.
  std::string begin() {
    const std::string number = std::to_string(called_.size());
    called_.push_back(0);
    return prefix_ + std::string(number_chars - number.size(), '0') + number;
  }

  /// Notes a call. False when no saga of this load has such a call.
  bool note(std::string_view gid, std::string_view branch_id, std::string_view op) {
    std::size_t number = 0;
    if (!find(gid, number) || op != "action") return false;
    if (branch_id != "01" && branch_id != "02") return false;
    called_[number] |= branch_id == "01" ? first_branch : second_branch;
    ++calls_;
    return true;
  }

  bool both_called(std::string_view gid) const {
    std::size_t number = 0;
    return find(gid, number) && called_[number] == (first_branch | second_branch);
  }

  /// All calls, repeated ones included.
  std::uint64_t calls() const noexcept { return calls_; }

 private:
  static constexpr std::size_t number_chars = 10;
  static constexpr std::uint8_t first_branch = 1;
  static constexpr std::uint8_t second_branch = 2;

  bool find(std::string_view gid, std::size_t& number) const {
    if (!gid.starts_with(prefix_)) return false;
    const char* end = gid.data() + gid.size();
    const auto read = std::from_chars(gid.data() + prefix_.size(), end, number);
    return read.ec == std::errc{} && read.ptr == end && number < called_.size();
  }

  std::string prefix_;
  std::vector<std::uint8_t> called_;
  std::uint64_t calls_ = 0;
};

}  // namespace concerto::bench
