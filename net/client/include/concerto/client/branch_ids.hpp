#pragma once

#include <cstddef>
#include <string>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::client {

/// The ids of the branches that one part of a transaction calls: `01`, `02`, ..., and `0201` below
/// branch `02`.
class CONCERTO_EXPORT BranchIds {
 public:
  static constexpr unsigned branches_max = 99;
  static constexpr std::size_t parent_chars_max = 18;  ///< longer ids have no branches below them

  explicit BranchIds(std::string parent = {}) : parent_(std::move(parent)) {}

  /// Error not_sendable: there are too many branches.
  [[nodiscard]] Result<std::string> next();

 private:
  std::string parent_;
  unsigned last_ = 0;
};

}  // namespace concerto::client
