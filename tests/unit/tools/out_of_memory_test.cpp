#include "out_of_memory.hpp"

#include <new>

#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

/// What the allocator does when it finds no memory.
void meet_shortage() {
  end_when_out_of_memory("concertod");
  std::get_new_handler()();
}

TEST(OutOfMemory, EndsTheProgramWithASentence) {
  EXPECT_EXIT(meet_shortage(), testing::ExitedWithCode(1), "concertod: out of memory");
}

}  // namespace
}  // namespace concerto::tools
