#pragma once

#include <cstdint>

namespace concerto::load {

/// Which transactions of a load fail on purpose. The number of a transaction decides, so a repeated
/// call gets the same answer, and a load with the same options does the same again.
struct Purposes {
  double fail_share = 0;   ///< of the transactions: they roll back
  double error_share = 0;  ///< of the transactions: a branch has an error at first

  bool fails(std::uint64_t number) const noexcept;
  bool errs(std::uint64_t number) const noexcept;
};

}  // namespace concerto::load
