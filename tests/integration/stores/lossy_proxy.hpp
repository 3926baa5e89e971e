#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace concerto::test {

/// Passes TCP connections on to a server on this machine, and can lose what the server answers.
class LossyProxy {
 public:
  explicit LossyProxy(std::uint16_t server_port);
  ~LossyProxy();
  LossyProxy(const LossyProxy&) = delete;
  LossyProxy& operator=(const LossyProxy&) = delete;

  std::uint16_t port() const noexcept { return port_; }

  /// Whether bytes of the server are a whole answer.
  using IsWhole = std::function<bool(std::string_view)>;
  /// The server gets the next request that has one of these texts in it, and the connection ends
  /// when the server has answered. Nothing of the answer is passed on.
  void lose_next_answer_to(
      std::vector<std::string> texts, IsWhole is_whole = [](std::string_view) { return true; });
  /// True: new connections end at once, and so do those that there are.
  void refuse(bool refuses) noexcept { refuses_ = refuses; }
  /// How many connections there have been.
  std::size_t accepted() const noexcept { return accepted_; }
  /// True: nothing is passed on any more, and connections stay open.
  void hold(bool holds) noexcept { holds_ = holds; }

 private:
  void accept_all();
  void pass_on(int client) const;
  /// Null: the answer to the request is passed on.
  IsWhole loses_answer_to(std::string_view request) const;

  const std::uint16_t server_port_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  mutable std::vector<std::string> loses_;
  mutable IsWhole is_whole_;
  std::atomic<std::size_t> accepted_ = 0;
  std::atomic<bool> refuses_ = false;
  std::atomic<bool> holds_ = false;
  std::atomic<bool> ends_ = false;
  std::list<std::thread> connections_;
  std::thread acceptor_;
};

}  // namespace concerto::test
