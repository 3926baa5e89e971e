// Begins transactions through concerto::client, or serves the branches of such transactions. The
// command line and what is printed are those of sdk/, except that only this program serves.

#include <csignal>
#include <cstdio>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/resource.h>

#include <concerto/base/task_group.hpp>
#include <concerto/transport/system.hpp>

#include "branches.hpp"
#include "load.hpp"

namespace concerto::bench {
namespace {

std::chrono::milliseconds seconds(const char* text) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::stod(text) * 1000));
}

Arguments read(int count, char** values) {
  Arguments arguments;
  for (int at = 1; at + 1 < count; at += 2) {
    const std::string_view name = values[at];
    const char* value = values[at + 1];
    if (name == "-mode") arguments.mode = value;
    if (name == "-wire") arguments.wire = value;
    if (name == "-dtm") arguments.coordinator = value;
    if (name == "-branches") arguments.branches = value;
    if (name == "-prefix") arguments.prefix = value;
    if (name == "-in-flight") arguments.in_flight = std::stoul(value);
    if (name == "-warm-up") arguments.warm_up = seconds(value);
    if (name == "-seconds") arguments.measured = seconds(value);
  }
  return arguments;
}

/// Each connection over HTTP is a file.
void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// The script reads the CPU of the process before it closes the input.
void wait_for_end_of_input() {
  char octet;
  while (::read(STDIN_FILENO, &octet, 1) > 0) {
  }
}

void run(asio::io_context& io, Task<void> task) {
  TaskGroup tasks(io.get_executor());
  tasks.spawn(std::move(task));
  while (tasks.size() > 0) io.run_one();
}

int load(Arguments arguments) {
  asio::io_context io{1};
  Load load(io.get_executor(), std::move(arguments));
  run(io, load.run());
  std::printf("done %llu %s\n", static_cast<unsigned long long>(load.begun()),
              load.failure().c_str());
  std::fflush(stdout);
  wait_for_end_of_input();
  return load.failure().empty() ? 0 : 1;
}

/// Each line of the input asks how many calls there were, until the input ends.
Task<void> tell_calls(asio::posix::stream_descriptor& input, const Branches& branches) {
  for (char octet = 0;;) {
    const auto [failed, count] =
        co_await input.async_read_some(asio::buffer(&octet, 1), asio::as_tuple(use_task));
    if (failed || count == 0) co_return;
    std::printf("calls %llu\n", static_cast<unsigned long long>(branches.calls()));
    std::fflush(stdout);
  }
}

int serve() {
  asio::io_context io{1};
  net::SystemClock clock;
  Timers timers(io.get_executor(), clock);
  Branches branches(io.get_executor(), timers);
  if (const auto started = branches.start(); !started) {
    std::fputs(started.error().detail.c_str(), stderr);
    return 1;
  }
  std::printf("grpc %u http %u\n", branches.grpc_port(), branches.http_port());
  std::fflush(stdout);
  asio::posix::stream_descriptor input(io, ::dup(STDIN_FILENO));
  run(io, tell_calls(input, branches));
  run(io, branches.stop());
  return 0;
}

}  // namespace
}  // namespace concerto::bench

int main(int count, char** values) {
  using namespace concerto::bench;
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  Arguments arguments = read(count, values);
  return arguments.mode == "serve" ? serve() : load(std::move(arguments));
}
