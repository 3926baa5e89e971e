#pragma once

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <concerto/base/clock.hpp>

#include "redis/redis_store.hpp"
#include "redis_server.hpp"
#include "store_contract_fixture.hpp"
#include "store_files.hpp"

namespace concerto::test {

using persist::RedisConnection;
using persist::RedisOptions;
using persist::RedisStore;
using persist::Reply;
using persist::ReplyPtr;

/// The server that the tests of one program share. Each test has its own prefix.
inline RedisServerProcess& shared_server() {
  static RedisServerProcess server;
  return server;
}

inline std::string new_prefix() {
  static int count = 0;
  return "{t" + std::to_string(++count) + "}";
}

inline RedisOptions redis_options_for(std::uint16_t port, std::string prefix) {
  RedisOptions options;
  options.access.servers = {{"127.0.0.1", port}};
  options.access.prefix = std::move(prefix);
  return options;
}

/// One of the numbers that the store counts.
inline double number_in(const RedisStore& store, std::string_view name) {
  for (const StoreNumber& number : store.numbers().numbers) {
    if (number.name == name) return number.value;
  }
  throw std::runtime_error("no number " + std::string(name));
}

/// A plain connection, for what a test does to the data itself.
class RedisClient {
 public:
  explicit RedisClient(std::uint16_t port) {
    if (!connection_.open({"127.0.0.1", port}, nullptr)) throw std::runtime_error("no Redis");
  }

  /// The answer as text; an integer in decimal.
  std::string ask(std::initializer_list<std::string_view> words) {
    const ReplyPtr reply = connection_.ask(words).value();
    const Reply answer{reply.get()};
    if (!answer.text().empty()) return std::string(answer.text());
    const auto number = answer.number();
    return number ? std::to_string(*number) : std::string();
  }

 private:
  RedisConnection connection_{{}};
};

/// A store in the shared server, behind a proxy that can lose an answer.
class RedisUnderTest final : public StoreUnderTest {
 public:
  RedisUnderTest() : proxy_(shared_server().port()), prefix_(new_prefix()) { open(store_); }

  Store& store() override { return *store_; }
  void restart() override {
    store_.reset();
    open(store_);
  }
  Store* other_store() override {
    if (!other_) open(other_);
    return other_.get();
  }
  WallTime now() const override { return clock_.wall_now(); }
  /// The schedule is moved, because Redis's clock cannot be. The time that has really passed counts
  /// as a part of `by`, so that a slow machine sees the same.
  void pass_time(std::chrono::nanoseconds by) override {
    const auto now = std::chrono::steady_clock::now();
    const auto passed = now - std::exchange(moved_at_, now);
    const double seconds = std::round(std::chrono::duration<double>(by - passed).count());
    RedisClient client{shared_server().port()};
    client.ask({"EVAL",
                "local all = redis.call('ZRANGE', KEYS[1], 0, -1) "
                "for _, gid in ipairs(all) do redis.call('ZINCRBY', KEYS[1], ARGV[1], gid) end",
                "1", prefix_ + "_u", std::to_string(-seconds)});
  }
  bool lose_next_answer() override {
    proxy_.lose_next_answer();
    return true;
  }

 private:
  void open(std::unique_ptr<RedisStore>& store) {
    auto opened = RedisStore::open(redis_options_for(proxy_.port(), prefix_), clock_, log_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store = std::move(*opened);
  }

  LossyProxy proxy_;
  const std::string prefix_;
  std::chrono::steady_clock::time_point moved_at_ = std::chrono::steady_clock::now();
  StoreClock clock_;
  LogLines log_;
  std::unique_ptr<RedisStore> store_;
  std::unique_ptr<RedisStore> other_;
};

}  // namespace concerto::test
