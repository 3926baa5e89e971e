#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <concerto/base/async.hpp>
#include <concerto/base/timers.hpp>

namespace concerto::net::test {

using asio::ip::tcp;
using TestSocket = asio::basic_stream_socket<tcp, Executor>;

/// A clock that moves only when a test moves it.
class HandMovedClock final : public Clock {
 public:
  SteadyTime steady_now() const noexcept override { return SteadyTime{} + passed_; }
  WallTime wall_now() const noexcept override {
    return WallTime{std::chrono::seconds{1'700'000'000}} + passed_;
  }
  void advance(std::chrono::nanoseconds by) { passed_ += by; }

 private:
  std::chrono::nanoseconds passed_ = std::chrono::hours{1};
};

/// One shard with a fake clock. A test runs it until a condition holds.
class ShardTest : public testing::Test {
 protected:
  Executor executor() { return io_.get_executor(); }

  /// Runs the shard until `condition` holds. Fails the test if that takes too long.
  void run_until(const std::function<bool()>& condition) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    io_.restart();
    while (!condition()) {
      if (std::chrono::steady_clock::now() > give_up) {
        FAIL() << "the condition did not come true";
      }
      if (io_.stopped()) io_.restart();
      io_.run_one_for(std::chrono::milliseconds{20});
    }
  }

  /// Runs the handlers that are ready now.
  void poll() {
    io_.restart();
    io_.poll();
  }

  void advance(std::chrono::nanoseconds by) {
    clock_.advance(by);
    timers_.run_due();
  }

  /// Starts `task`. The returned pointer gets its value.
  template <class T>
  std::shared_ptr<std::optional<T>> start(Task<T> task) {
    auto place = std::make_shared<std::optional<T>>();
    asio::co_spawn(io_, std::move(task), [place](const std::exception_ptr& error, T value) {
      if (error) std::rethrow_exception(error);
      place->emplace(std::move(value));
    });
    return place;
  }

  template <class T>
  T await(Task<T> task) {
    const auto place = start(std::move(task));
    run_until([&] { return place->has_value(); });
    return std::move(place->value());
  }

  void await(Task<void> task) {
    bool ended = false;
    asio::co_spawn(io_, std::move(task), [&ended](const std::exception_ptr& error) {
      if (error) std::rethrow_exception(error);
      ended = true;
    });
    run_until([&] { return ended; });
  }

  asio::io_context io_{1};
  HandMovedClock clock_;
  Timers timers_{io_.get_executor(), clock_};
};

/// The peer of a connection, whose bytes a test reads and writes.
class RawPeer {
 public:
  explicit RawPeer(Executor executor) : socket_(executor) {}
  explicit RawPeer(TestSocket socket) : socket_(std::move(socket)) { read(); }

  void connect(const tcp::endpoint& to) {
    socket_.connect(to);
    read();
  }

  void send(std::string_view text) {
    error_code ignored;
    asio::write(socket_, asio::buffer(text), ignored);
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
  }

  /// Closes the connection with a reset.
  void reset() {
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }

  void shutdown_send() { socket_.shutdown(TestSocket::shutdown_send); }

  const std::string& received() const { return received_; }
  void forget_received() { received_.clear(); }
  bool saw_end() const { return saw_end_; }
  bool has(std::string_view text) const { return received_.find(text) != std::string::npos; }

  TestSocket& socket() { return socket_; }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(chunk_), [this](const error_code& error, std::size_t n) {
      if (error == asio::error::operation_aborted) return;
      received_.append(chunk_, n);
      if (error) {
        saw_end_ = true;
      } else {
        read();
      }
    });
  }

  TestSocket socket_;
  char chunk_[16384] = {};
  std::string received_;
  bool saw_end_ = false;
};

inline tcp::endpoint loopback(unsigned short port = 0) {
  return {asio::ip::address_v4::loopback(), port};
}

}  // namespace concerto::net::test
