#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "temp_dir.hpp"

namespace concerto::test {

/// A real server of Redis with an append-only file, on a port of loopback. It ends with this
/// object, or with the test program.
class RedisServerProcess {
 public:
  /// `options` are further arguments, such as {"--maxmemory", "10mb"}. `config` is the text of a
  /// file with settings, for what has no arguments.
  explicit RedisServerProcess(std::vector<std::string> options = {},
                              const std::string& config = "");
  ~RedisServerProcess();
  RedisServerProcess(const RedisServerProcess&) = delete;
  RedisServerProcess& operator=(const RedisServerProcess&) = delete;

  /// Whether there is a redis-server on this machine.
  static bool is_installed();

  std::uint16_t port() const noexcept { return port_; }
  /// As a crash ends it.
  void kill();
  /// Starts it again on the same port and data.
  void start();
  /// It does nothing any more, and keeps its connections, until it is killed.
  void freeze();

 private:
  std::vector<std::string> options_;
  TempDir dir_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

/// A port of loopback that passes bytes on to a server, and can lose an answer.
class LossyProxy {
 public:
  explicit LossyProxy(std::uint16_t server_port);
  ~LossyProxy();
  LossyProxy(const LossyProxy&) = delete;
  LossyProxy& operator=(const LossyProxy&) = delete;

  std::uint16_t port() const noexcept { return port_; }
  /// The next script that a client calls, other than a trial, takes effect; then its connection
  /// ends without the answer.
  void lose_next_answer() { loses_.store(true); }
  /// How many answers were lost.
  int lost() const noexcept { return lost_.load(); }

 private:
  struct Pair;

  void run();
  bool pass(Pair& pair);

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> loses_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> lost_ = 0;
  std::thread thread_;
};

}  // namespace concerto::test
