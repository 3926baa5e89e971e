#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace concerto::persist {

/// The names of the keys: page 07 of the protocol, section 3, and Concerto's own index.
class RedisKeys {
 public:
  explicit RedisKeys(std::string prefix) : prefix_(std::move(prefix)) {}

  const std::string& prefix() const noexcept { return prefix_; }
  std::string record(std::string_view gid) const { return with("_g_", gid); }
  std::string branches(std::string_view gid) const { return with("_b_", gid); }
  std::string status(std::string_view gid) const { return with("_s_", gid); }
  std::string schedule() const { return prefix_ + "_u"; }
  std::string kv(std::string_view cat, std::string_view key) const {
    return with("_kv_", cat) + "_" + std::string(key);
  }

  // Sorted sets of gids by the time of their creation in microseconds: all of them, the unfinished
  // ones, and the failed ones.
  std::string all() const { return prefix_ + "_c_all"; }
  std::string open() const { return prefix_ + "_c_open"; }
  std::string failed() const { return prefix_ + "_c_failed"; }

  /// A pattern of SCAN for keys with this beginning.
  std::string pattern(std::string_view kind) const {
    std::string escaped;
    for (const char c : prefix_) {
      if (std::string_view("*?[]\\^").find(c) != std::string_view::npos) escaped += '\\';
      escaped += c;
    }
    return escaped + std::string(kind) + "*";
  }

 private:
  std::string with(std::string_view kind, std::string_view name) const {
    return prefix_ + std::string(kind) + std::string(name);
  }

  std::string prefix_;
};

}  // namespace concerto::persist
