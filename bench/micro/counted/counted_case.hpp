#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace concerto::bench {

/// A piece of work whose instructions and allocations per operation are counted: deterministic, on
/// one thread, without disk and clock. Made anew for each count.
class CountedCase {
 public:
  virtual ~CountedCase() = default;
  /// Does `count` operations; false when a result is wrong.
  virtual bool run(std::size_t count) = 0;
};

struct CountedRow {
  std::string_view name;
  std::size_t count;  ///< operations that are enough for a stable number
  std::unique_ptr<CountedCase> (*make)();
};

template <class Case>
std::unique_ptr<CountedCase> make_case() {
  return std::make_unique<Case>();
}

std::vector<CountedRow> engine_cases();
std::vector<CountedRow> scheduler_cases();
std::vector<CountedRow> store_cases();
std::vector<CountedRow> transport_cases();

}  // namespace concerto::bench
