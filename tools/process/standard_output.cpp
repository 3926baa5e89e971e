#include "standard_output.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <system_error>
#include <unistd.h>

namespace concerto::tools {

StandardOutput::StandardOutput(int descriptor)
    : descriptor_(descriptor), before_(std::cout.rdbuf(this)) {
  setp(buffer_.begin(), buffer_.end());
  std::cout.exceptions(std::ios::badbit);
}

StandardOutput::~StandardOutput() {
  try {
    write_all();  // what an exception has left
  } catch (const std::exception&) {
    has_failed_ = true;
  }
  std::cout.exceptions(std::ios::goodbit);
  std::cout.rdbuf(before_);
}

StandardOutput::int_type StandardOutput::overflow(int_type c) {
  write_all();
  if (!traits_type::eq_int_type(c, traits_type::eof())) sputc(traits_type::to_char_type(c));
  return traits_type::not_eof(c);
}

int StandardOutput::sync() {
  write_all();
  return 0;
}

void StandardOutput::write_all() {
  const char* next = pbase();
  const char* const end = pptr();
  setp(buffer_.begin(), buffer_.end());
  while (next != end && !has_failed_) {
    const ssize_t written = ::write(descriptor_, next, static_cast<std::size_t>(end - next));
    if (written >= 0) {
      next += written;
    } else if (errno != EINTR) {
      const int reason = errno;
      has_failed_ = true;
      // They would flush std::cout, and that throws again.
      std::cerr.tie(nullptr);
      std::cin.tie(nullptr);
      if (reason == EPIPE) throw OutputClosed();
      // See open_standard_streams.
      if (reason == EBADF) throw OutputError("the output cannot be written: stdout is closed");
      throw OutputError("the output cannot be written: " + std::generic_category().message(reason));
    }
  }
}

int run_with_output(const std::function<int()>& run) {
  try {
    const StandardOutput output(STDOUT_FILENO);
    const int code = run();
    std::cout.flush();
    return code;
  } catch (const OutputClosed&) {
    std::signal(SIGPIPE, SIG_DFL);
    std::raise(SIGPIPE);  // which may be blocked
  } catch (const OutputError& error) {
    std::cerr << error.what() << '\n';
  }
  return EXIT_FAILURE;
}

}  // namespace concerto::tools
