#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace concerto::load {

/// Acknowledged transactions that did not end as they must: how many, and the first few of them.
class CheckFindings {
 public:
  static constexpr std::size_t kept_max = 10;

  struct Finding {
    std::string gid;
    std::string text;
  };

  void note(std::string gid, std::string text) {
    ++count_;
    if (kept_.size() < kept_max) kept_.push_back({std::move(gid), std::move(text)});
  }

  std::uint64_t count() const noexcept { return count_; }
  const std::vector<Finding>& kept() const noexcept { return kept_; }

 private:
  std::uint64_t count_ = 0;
  std::vector<Finding> kept_;
};

}  // namespace concerto::load
