// A libFuzzer program with one target. CMake gives the name of the target.

#include "fuzz_target.hpp"

namespace concerto::fuzz {

void CONCERTO_FUZZ_TARGET(std::string_view input);

}  // namespace concerto::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  concerto::fuzz::CONCERTO_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
