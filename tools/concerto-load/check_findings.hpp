#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concerto::load {

/// How an acknowledged transaction is not as it must be.
enum class Wrong {
  lost,        ///< the coordinator does not know it
  unfinished,  ///< it has not ended
  status,      ///< it, or one of its branches, ended with another status
  calls,       ///< branches were not called, called too late, or called without need
  not_known,   ///< the coordinator does not answer
};
inline constexpr std::array wrong_names = {"lost", "unfinished", "status", "calls", "not_known"};

/// Acknowledged transactions that did not end as they must: how many, and the first few of them.
class CheckFindings {
 public:
  static constexpr std::size_t kept_max = 10;

  struct Finding {
    std::string gid;
    std::string text;
  };

  void note(std::string gid, Wrong wrong, std::string text) {
    ++count_;
    ++by_kind_[static_cast<std::size_t>(wrong)];
    if (kept_.size() < kept_max) kept_.push_back({std::move(gid), std::move(text)});
  }

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t count(Wrong wrong) const noexcept {
    return by_kind_[static_cast<std::size_t>(wrong)];
  }
  const std::vector<Finding>& kept() const noexcept { return kept_; }

 private:
  std::uint64_t count_ = 0;
  std::array<std::uint64_t, wrong_names.size()> by_kind_{};
  std::vector<Finding> kept_;
};

}  // namespace concerto::load
