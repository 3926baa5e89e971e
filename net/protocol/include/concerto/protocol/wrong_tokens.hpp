#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/request_context.hpp>

namespace concerto::net {

/// Limits how many wrong tokens are looked at for one address, and reports them, at most once a
/// minute. An address may send `burst` wrong tokens at once, and one more every `pause`. Addresses
/// of one IPv6 network (/64) count as one. The shards share the object. Thread-safe.
class CONCERTO_EXPORT WrongTokens {
 public:
  static constexpr unsigned burst = 20;
  static constexpr std::chrono::seconds pause{3};
  /// The address whose last wrong token is oldest is forgotten when there are more.
  static constexpr std::size_t addresses_max = 10'000;
  /// So many tokens of a refused address may be looked at in a second all the same, and so many of
  /// all of them: each look may verify a signature.
  static constexpr unsigned extra_looks_per_second = 50;
  static constexpr unsigned all_extra_looks_per_second = 500;

  /// `say` is called with a sentence for the operator, on the thread of the shard.
  WrongTokens(const Clock& clock, std::function<void(const std::string&)> say);
  WrongTokens(const WrongTokens&) = delete;
  WrongTokens& operator=(const WrongTokens&) = delete;

  /// Whether an unknown token from this address is refused without a look at it.
  bool refuses(const PeerAddress& peer);
  /// Takes one of the looks at tokens that may well be right although they come from a refused
  /// address. False: there are none at the moment.
  bool take_extra_look(const PeerAddress& peer);
  /// Call this for every token that is refused without a look.
  void note_unread();
  /// Call this for every wrong token. `reason` says what is wrong with it.
  void note(const PeerAddress& peer, std::string_view reason);

  /// All wrong tokens, whether they were looked at or not.
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  using Network = std::array<std::uint64_t, 2>;

  struct ExtraLooks {
    bool take(SteadyTime now, unsigned per_second_max) noexcept;

    SteadyTime since{};
    unsigned count = 0;  ///< in the second after `since`
  };
  struct Sender {
    Network network;
    /// When all of its burst is there again. Each wrong token moves it by `pause`.
    SteadyTime rested;
    ExtraLooks extra_looks{};
  };
  using Senders = std::list<Sender>;

  const Clock& clock_;
  const std::function<void(const std::string&)> say_;
  std::atomic<std::uint64_t> count_{0};
  std::mutex mutex_;
  Senders senders_;  ///< the last one has sent the newest wrong token
  std::map<Network, Senders::iterator> places_;
  std::uint64_t unreported_ = 0;
  std::uint64_t unreported_refused_ = 0;
  SteadyTime next_line_{};
  ExtraLooks all_extra_looks_;
};

}  // namespace concerto::net
