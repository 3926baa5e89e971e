#include "standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace concerto::tools {
namespace {

/// In a process of its own: the number that the first file gets when these streams were closed.
int first_descriptor_without(std::initializer_list<int> closed) {
  for (const int stream : closed) ::close(stream);
  if (!open_standard_streams()) return -1;
  if (::write(STDOUT_FILENO, "x", 1) != 1 || ::write(STDERR_FILENO, "x", 1) != 1) return -1;
  return ::open("/dev/null", O_RDONLY);
}

TEST(StandardStreams, AreNeverFilesOfTheProgram) {
  const std::initializer_list<int> cases[] = {{}, {0}, {1}, {2}, {0, 2}, {0, 1, 2}};
  for (const auto closed : cases) {
    EXPECT_EXIT(::_exit(first_descriptor_without(closed) > STDERR_FILENO ? 0 : 1),
                testing::ExitedWithCode(0), "");
  }
}

}  // namespace
}  // namespace concerto::tools
