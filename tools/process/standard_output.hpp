#pragma once

#include <array>
#include <exception>
#include <functional>
#include <stdexcept>
#include <streambuf>

namespace concerto::tools {

/// The reader of stdout is gone, as `head` is after its lines. What the program does for it ends.
class OutputClosed final : public std::exception {
 public:
  const char* what() const noexcept override { return "nobody reads the output"; }
};

/// Why the output cannot be written.
class OutputError final : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Writes std::cout to a descriptor as long as this object lives. A write that fails ends the verb,
/// whose output nobody has: it throws OutputClosed or OutputError, once;
/// what is written later, as by destructors, is dropped.
class StandardOutput final : private std::streambuf {
 public:
  explicit StandardOutput(int descriptor);
  ~StandardOutput() override;
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  int_type overflow(int_type c) override;
  int sync() override;
  void write_all();

  const int descriptor_;
  std::streambuf* const before_;
  bool has_failed_ = false;
  std::array<char, 16 << 10> buffer_;
};

/// Runs a part of a program that writes its result to std::cout, and returns its exit code, or 1
/// after a word to stderr if the result could not be written. If nobody reads the output, the
/// process ends as by SIGPIPE, without a word, after all objects of `run` have ended.
int run_with_output(const std::function<int()>& run);

}  // namespace concerto::tools
