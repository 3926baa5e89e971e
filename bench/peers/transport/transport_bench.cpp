// Our transport beside gRPC C++ in one run: server against server with the same client, and client
// against client with the same server. The other side runs in a process of its own, so that this
// process's CPU is that of the measured side.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "load.hpp"

namespace concerto::bench {
namespace {

constexpr std::size_t streams = 100;

double cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// A server in a child process. Its CPU is known after it has ended.
class ServerProcess {
 public:
  explicit ServerProcess(const char* kind) {
    int ready[2];
    int stop[2];
    if (::pipe(ready) != 0 || ::pipe(stop) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) {
      ::dup2(stop[0], STDIN_FILENO);
      ::dup2(ready[1], STDOUT_FILENO);
      for (const int fd : {ready[0], ready[1], stop[0], stop[1]}) ::close(fd);
      ::execl("/proc/self/exe", "transport_bench", "--serve", kind, nullptr);
      ::_exit(127);
    }
    ::close(ready[1]);
    ::close(stop[0]);
    stop_ = stop[1];
    if (::read(ready[0], &port_, sizeof port_) != sizeof port_) throw std::runtime_error("server");
    ::close(ready[0]);
  }

  ~ServerProcess() {
    if (child_ > 0) end();
  }

  std::uint16_t port() const noexcept { return port_; }

  /// Seconds of CPU that the server has used.
  double cpu() const {
    clockid_t clock;
    timespec time{};
    if (::clock_getcpuclockid(child_, &clock) != 0) throw std::runtime_error("server is gone");
    ::clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }

 private:
  void end() {
    ::close(stop_);
    ::waitpid(child_, nullptr, 0);
    child_ = 0;
  }

  pid_t child_ = 0;
  int stop_ = -1;
  std::uint16_t port_ = 0;
};

int serve(const std::string& kind) {
  const auto server = kind == "ours" ? make_our_server() : make_grpc_server();
  const std::uint16_t port = server->port();
  if (::write(STDOUT_FILENO, &port, sizeof port) != sizeof port) return 1;
  char byte;
  return ::read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 1;  // until the parent closes the pipe
}

struct Sample {
  double server_us;
  double client_us;
  double per_second;
};

std::map<std::string, std::vector<Sample>>& samples() {
  static std::map<std::string, std::vector<Sample>> all;
  return all;
}

bool all_good = true;

void run(benchmark::State& state, const char* name, const char* server_kind,
         const std::function<std::unique_ptr<LoadClient>(std::uint16_t)>& make_client) {
  const auto calls = static_cast<std::size_t>(state.range(0));
  ServerProcess server(server_kind);
  const auto client = make_client(server.port());
  client->run(std::min<std::size_t>(calls, 2000), streams);  // warms both sides up
  for (auto _ : state) {
    const double server_before = server.cpu();
    const double client_before = cpu_seconds(RUSAGE_SELF);
    const auto begin = std::chrono::steady_clock::now();
    if (client->run(calls, streams) != calls) {
      all_good = false;
      return state.SkipWithError("calls failed");
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    state.SetIterationTime(elapsed.count());
    const auto per_call = [calls](double seconds) {
      return seconds * 1e6 / static_cast<double>(calls);
    };
    const Sample sample{per_call(server.cpu() - server_before),
                        per_call(cpu_seconds(RUSAGE_SELF) - client_before),
                        static_cast<double>(calls) / elapsed.count()};
    samples()[name].push_back(sample);
    state.counters["server_us/call"] = sample.server_us;
    state.counters["client_us/call"] = sample.client_us;
    state.counters["calls/s"] = sample.per_second;
  }
}

double median(const std::string& name, double Sample::*field) {
  std::vector<double> values;
  for (const Sample& sample : samples()[name]) values.push_back(sample.*field);
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void print_ratio(const char* what, double ours, double theirs) {
  if (ours <= 0 || theirs <= 0) return;
  std::printf("%-34s ours %8.2f us  gRPC C++ %8.2f us  ratio 1 : %.1f\n", what, ours, theirs,
              theirs / ours);
}

}  // namespace
}  // namespace concerto::bench

int main(int argc, char** argv) {
  using namespace concerto::bench;
  if (argc == 3 && std::string(argv[1]) == "--serve") return serve(argv[2]);
  ::signal(SIGPIPE, SIG_IGN);
  const bool tiny = argc == 2 && std::string(argv[1]) == "--tiny";
  if (tiny) --argc;
  const auto add = [tiny](const char* name, const char* server, auto client) {
    benchmark::RegisterBenchmark(name,
                                 [=](benchmark::State& state) { run(state, name, server, client); })
        ->Arg(tiny ? 200 : 50'000)
        ->Iterations(1)
        ->Repetitions(tiny ? 1 : 5)
        ->ReportAggregatesOnly(!tiny)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  };
  add("server/ours", "ours", make_our_client);
  add("server/grpc", "grpc", make_our_client);
  add("client/ours", "ours", make_our_client);
  add("client/grpc", "ours", make_grpc_client);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  std::printf("\nmedian CPU per unary call, %zu bytes in, %zu out, %zu streams\n", request_bytes,
              reply_bytes, streams);
  print_ratio("server (same client)", median("server/ours", &Sample::server_us),
              median("server/grpc", &Sample::server_us));
  print_ratio("client (same server)", median("client/ours", &Sample::client_us),
              median("client/grpc", &Sample::client_us));
  return all_good ? 0 : 1;
}
