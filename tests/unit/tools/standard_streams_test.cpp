#include "standard_streams.hpp"

#include <fcntl.h>
#include <iostream>
#include <string_view>
#include <unistd.h>

#include <gtest/gtest.h>

#include "standard_output.hpp"

namespace concerto::tools {
namespace {

/// In a process of its own: the number that the first file gets when these streams were closed.
int first_descriptor_without(std::initializer_list<int> closed) {
  for (const int stream : closed) ::close(stream);
  if (!open_standard_streams()) return -1;
  if (::write(STDERR_FILENO, "x", 1) != 1) return -1;
  return ::open("/dev/null", O_RDONLY);
}

TEST(StandardStreams, AreNeverFilesOfTheProgram) {
  const std::initializer_list<int> cases[] = {{}, {0}, {1}, {2}, {0, 2}, {0, 1, 2}};
  for (const auto closed : cases) {
    EXPECT_EXIT(::_exit(first_descriptor_without(closed) > STDERR_FILENO ? 0 : 1),
                testing::ExitedWithCode(0), "");
  }
}

/// In a process of its own: what a program with this result ends with when its stdout is closed.
int end_without_stdout(std::string_view result) {
  ::close(STDOUT_FILENO);
  if (!open_standard_streams()) return -1;
  return run_with_output([result] {
    std::cout << result;
    return 0;
  });
}

TEST(StandardStreams, AResultForAClosedStdoutIsNotLostWithoutAWord) {
  EXPECT_EXIT(::_exit(end_without_stdout("a result")), testing::ExitedWithCode(1),
              "^the output cannot be written: stdout is closed\n$");
  EXPECT_EXIT(::_exit(end_without_stdout("")), testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace concerto::tools
