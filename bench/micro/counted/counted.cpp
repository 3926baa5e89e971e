// concerto_counted            lists the cases and the operations of a count
// concerto_counted CASE N     does N operations and prints the allocations that they made
//
// bench/check runs it under callgrind, which counts instructions, and compares the counts.

#include <cstdio>
#include <cstdlib>
#include <string>

#include "allocation_count.hpp"
#include "counted_case.hpp"

namespace concerto::bench {
namespace {

std::vector<CountedRow> all_cases() {
  std::vector<CountedRow> all;
  for (auto* cases :
       {access_cases, engine_cases, traced_cases, scheduler_cases, store_cases, transport_cases}) {
    const std::vector<CountedRow> some = cases();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

int count(const CountedRow& row, std::size_t operations) {
  const std::unique_ptr<CountedCase> counted = row.make();
  const std::uint64_t before = allocation_count();
  const bool good = counted->run(operations);
  std::printf("%llu\n", static_cast<unsigned long long>(allocation_count() - before));
  if (!good) std::fprintf(stderr, "%s: a result is wrong\n", std::string(row.name).c_str());
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace concerto::bench

int main(int argc, char** argv) {
  using namespace concerto::bench;
  const std::string name = argc > 1 ? argv[1] : "";
  for (const CountedRow& row : all_cases()) {
    if (name.empty()) {
      std::printf("%s %zu\n", std::string(row.name).c_str(), row.count);
    } else if (name == "--tiny") {
      if (count(row, 3) != EXIT_SUCCESS) return EXIT_FAILURE;
    } else if (row.name == name && argc == 3) {
      return count(row, std::strtoull(argv[2], nullptr, 10));
    }
  }
  const bool known = name.empty() || name == "--tiny";
  if (!known) std::fprintf(stderr, "no case '%s', or no number of operations\n", name.c_str());
  return known ? EXIT_SUCCESS : EXIT_FAILURE;
}
