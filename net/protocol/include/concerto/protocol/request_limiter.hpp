#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/route_needs.hpp>
#include <concerto/transport/address_set.hpp>

namespace concerto::net {

/// How much one client may send.
struct RequestLimits {
  std::size_t requests_per_second = 0;  ///< 0: no limit
  std::size_t burst = 0;                ///< requests at once; 0: those of one second
  std::size_t bytes_per_second = 0;     ///< of bodies and messages; 0: no limit
  AddressSet exempt{};                  ///< clients without limits

  bool is_on() const noexcept { return requests_per_second > 0 || bytes_per_second > 0; }
};

/// Limits how many requests, and how many bytes of them, each client sends. A client is a caller
/// whose name is known, wherever it is; otherwise an IPv4 address or an IPv6 network (/64). All
/// shards share the object, so a client cannot send more by using many connections. Thread-safe.
///
/// It remembers a fixed number of clients. When there is no room, the one that has used least of
/// what it may is forgotten: it can send a burst again. So nobody is locked out by others with many
/// addresses, and who floods is not forgotten. Callers with names have room of their own.
class CONCERTO_EXPORT RequestLimiter {
 public:
  static constexpr std::size_t clients_max = 65'536;  ///< of each kind; 3 MiB
  /// More lines in a minute are left out.
  static constexpr unsigned lines_max = 10;

  /// `random` is used only here. `say` is called with a sentence for the operator, on the thread of
  /// the shard: at most once a minute for each client.
  RequestLimiter(const Clock& clock, RandomSource& random,
                 std::function<void(const std::string&)> say);
  RequestLimiter(const RequestLimiter&) = delete;
  RequestLimiter& operator=(const RequestLimiter&) = delete;

  /// Holds for requests that come later.
  void set_limits(const RequestLimits& limits);
  bool is_on() const noexcept { return is_on_.load(std::memory_order_relaxed); }

  /// Counts a request, unless it is refused.
  std::optional<Refusal> refuse(const RequestContext& context, std::size_t body_bytes);

  /// Requests that were refused: because of their number, and of their bytes.
  std::uint64_t refused_requests() const noexcept { return refused_requests_.load(); }
  std::uint64_t refused_bytes() const noexcept { return refused_bytes_.load(); }

 private:
  using Key = std::array<std::uint64_t, 2>;

  /// What a client has used is written as times: so much would be used up if it had sent at its
  /// rate until then.
  struct Client {
    Key key{};
    SteadyTime requests_until{};
    SteadyTime bytes_until{};
    SteadyTime next_line{};
    std::uint32_t unreported = 0;
    bool is_used = false;
  };

  /// Clients whose keys have the same hash. One that comes may replace another one.
  static constexpr std::size_t ways = 8;
  static constexpr std::size_t sets = clients_max / ways;
  using Set = std::array<Client, ways>;

  /// The lock of some sets, with the limits, so that a request takes one lock.
  struct alignas(64) Part {
    std::mutex mutex;
    RequestLimits limits;
    std::vector<Set> callers;  ///< empty until there are limits
    std::vector<Set> addresses;
  };
  static constexpr std::size_t parts = 64;

  static Client& find(Set& set, const Key& key) noexcept;
  std::optional<Refusal> refuse_requests(Client& client, const RequestLimits& limits,
                                         SteadyTime now);
  std::optional<Refusal> refuse_bytes(Client& client, const RequestLimits& limits, SteadyTime now);
  std::string line_about(Client& client, const RequestContext& context, std::string_view why,
                         SteadyTime now);

  const Clock& clock_;
  const std::array<std::uint64_t, 2> hash_key_;
  const std::function<void(const std::string&)> say_;
  std::atomic<bool> is_on_{false};
  std::atomic<std::uint64_t> refused_requests_{0};
  std::atomic<std::uint64_t> refused_bytes_{0};
  std::array<Part, parts> parts_;
  std::mutex lines_mutex_;
  SteadyTime lines_since_{};
  unsigned lines_ = 0;
};

}  // namespace concerto::net
