#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace concerto::bench {

/// A piece of work whose instructions and allocations per operation are counted. It is
/// deterministic, and runs on one thread without disk and clock. Each count has a new object.
class CountedCase {
 public:
  virtual ~CountedCase() = default;
  /// Does `count` operations. False if a result is wrong.
  virtual bool run(std::size_t count) = 0;
};

struct CountedRow {
  std::string_view name;
  std::size_t count;  ///< operations for a stable number
  std::unique_ptr<CountedCase> (*make)();
};

template <class Case>
std::unique_ptr<CountedCase> make_case() {
  return std::make_unique<Case>();
}

std::vector<CountedRow> access_cases();
std::vector<CountedRow> engine_cases();
std::vector<CountedRow> scheduler_cases();
std::vector<CountedRow> store_cases();
std::vector<CountedRow> traced_cases();
std::vector<CountedRow> transport_cases();

}  // namespace concerto::bench
