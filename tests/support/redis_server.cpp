#include "redis_server.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace concerto::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds start_limit{30};
constexpr const char* program = "/usr/bin/redis-server";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// A listening socket on a free port, or on `port` unless it is 0.
int listen_on(std::uint16_t& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(port);
  socklen_t bytes = sizeof address;
  if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), bytes) != 0 ||
      ::listen(listener, 16) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
    if (listener >= 0) ::close(listener);
    throw std::runtime_error("no port on loopback");
  }
  port = ntohs(address.sin_port);
  return listener;
}

int listen_on_free_port(std::uint16_t& port) {
  port = 0;
  return listen_on(port);
}

/// A free port. A server in a cluster also needs the port that is 10,000 higher.
std::uint16_t free_port(bool is_clustered) {
  constexpr int to_bus = 10'000;
  for (;;) {
    std::uint16_t port = 0;
    ::close(listen_on_free_port(port));
    if (!is_clustered) return port;
    if (port > UINT16_MAX - to_bus) continue;
    try {
      auto bus_port = static_cast<std::uint16_t>(port + to_bus);
      ::close(listen_on(bus_port));
      return port;
    } catch (const std::runtime_error&) {
      continue;  // Somebody else has it.
    }
  }
}

int connect_to(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    return descriptor;
  }
  ::close(descriptor);
  return -1;
}

/// Whether the server answers and has loaded its data.
bool answers(std::uint16_t port) {
  const int descriptor = connect_to(port);
  if (descriptor < 0) return false;
  constexpr std::string_view ping = "PING\r\n";
  std::array<char, 64> answer{};
  const bool sent = ::send(descriptor, ping.data(), ping.size(), MSG_NOSIGNAL) > 0;
  const bool got = sent && ::recv(descriptor, answer.data(), answer.size(), 0) > 0;
  const std::string_view text(answer.data());
  const bool pong = got && (text.starts_with("+PONG") || text.starts_with("-NOAUTH"));
  ::close(descriptor);
  return pong;
}

}  // namespace

bool RedisServerProcess::is_installed() {
  return ::access(program, X_OK) == 0;
}

RedisServerProcess::RedisServerProcess(std::vector<std::string> options, const std::string& config)
    : options_(std::move(options)),
      port_(free_port(std::ranges::find(options_, "--cluster-enabled") != options_.end())) {
  std::ofstream(dir_.path() + "/redis.conf") << config;
  start();
}

RedisServerProcess::~RedisServerProcess() {
  kill();
}

void RedisServerProcess::start() {
  std::vector<std::string> words = {program,        dir_.path() + "/redis.conf",
                                    "--port",       std::to_string(port_),
                                    "--bind",       "127.0.0.1",
                                    "--dir",        dir_.path(),
                                    "--appendonly", "yes",
                                    "--save",       "",
                                    "--logfile",    "redis.log"};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execv(program, arguments.data());
    ::_exit(127);
  }
  const auto deadline = Clock::now() + start_limit;
  while (!answers(port_)) {
    if (::waitpid(process_, nullptr, WNOHANG) == process_) {
      process_ = -1;
      throw std::runtime_error("redis-server ends at once");
    }
    if (Clock::now() > deadline) throw std::runtime_error("redis-server does not start");
    ::poll(nullptr, 0, 10);
  }
}

void RedisServerProcess::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void RedisServerProcess::freeze() {
  ::kill(process_, SIGSTOP);
}

/// A client and the server behind it.
struct LossyProxy::Pair {
  int client = -1;
  int server = -1;
  bool drops_answer = false;
};

LossyProxy::LossyProxy(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = listen_on_free_port(port_);
  thread_ = std::thread([this] { run(); });
}

LossyProxy::~LossyProxy() {
  stopping_.store(true);
  thread_.join();
  ::close(listener_);
}

void LossyProxy::run() {
  std::vector<Pair> pairs;
  while (!stopping_.load()) {
    std::vector<pollfd> waited{{listener_, POLLIN, 0}};
    for (const Pair& pair : pairs) {
      waited.push_back({pair.client, POLLIN, 0});
      waited.push_back({pair.server, POLLIN, 0});
    }
    ::poll(waited.data(), waited.size(), 20);
    if ((waited[0].revents & POLLIN) != 0) {
      Pair pair;
      pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      pair.server = connect_to(server_port_);
      if (pair.server >= 0) {
        pairs.push_back(pair);
      } else {
        ::close(pair.client);
      }
    }
    std::erase_if(pairs, [this](Pair& pair) {
      if (pass(pair)) return false;
      ::close(pair.client);
      ::close(pair.server);
      return true;
    });
  }
  for (const Pair& pair : pairs) {
    ::close(pair.client);
    ::close(pair.server);
  }
}

/// Passes on what has arrived. False when the connection has ended.
bool LossyProxy::pass(Pair& pair) {
  std::array<char, 64 * 1024> bytes;
  const ssize_t asked = ::recv(pair.client, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (asked == 0) return false;
  if (asked > 0) {
    const std::string_view command(bytes.data(), static_cast<std::size_t>(asked));
    const auto has = [command](std::string_view word) {
      return command.find(word) != std::string_view::npos;
    };
    if (has("EVALSHA") && !has("trial") && loses_.exchange(false)) {
      pair.drops_answer = true;
    }
    ::send(pair.server, command.data(), command.size(), MSG_NOSIGNAL);
  }
  const ssize_t answered = ::recv(pair.server, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (answered == 0) return false;
  if (answered > 0) {
    if (pair.drops_answer) {
      lost_.fetch_add(1);
      return false;
    }
    ::send(pair.client, bytes.data(), static_cast<std::size_t>(answered), MSG_NOSIGNAL);
  }
  return true;
}

}  // namespace concerto::test
