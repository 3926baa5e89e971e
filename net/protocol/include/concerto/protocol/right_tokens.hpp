#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_set>

#include <concerto/base/export.hpp>
#include <concerto/engine/request_context.hpp>

namespace concerto::net {

/// Stands for a token and the network that it came from: a hash with a secret key.
struct TokenMark {
  std::array<std::uint64_t, 2> words;
  bool operator==(const TokenMark&) const = default;
};

struct TokenMarkHash {
  std::size_t operator()(const TokenMark& mark) const noexcept { return mark.words[0]; }
};

/// Which networks have sent which right tokens, so that guesses from the same network (WrongTokens)
/// do not shut these tokens out, whatever shard their connections are on. That a token was right
/// does not mean that it still is. The shards share the object. Thread-safe.
class CONCERTO_EXPORT RightTokens {
 public:
  using Key = std::array<std::uint64_t, 2>;

  /// Those that were added longest ago are forgotten when there are more.
  static constexpr std::size_t tokens_max = 65'536;

  /// `key` is random and secret, so a token that has the mark of another one cannot be found.
  explicit RightTokens(const Key& key);
  RightTokens(const RightTokens&) = delete;
  RightTokens& operator=(const RightTokens&) = delete;

  TokenMark mark_of(std::string_view token, const PeerAddress& peer) const noexcept;

  bool has(const TokenMark& mark);
  void add(const TokenMark& mark);
  void remove(const TokenMark& mark);

 private:
  using Marks = std::unordered_set<TokenMark, TokenMarkHash>;

  const Key key_;
  std::mutex mutex_;
  Marks newer_;
  Marks older_;  ///< what newer_ was when it was full
};

}  // namespace concerto::net
