#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

#include <concerto/base/counted.hpp>
#include <concerto/protocol/request_limiter.hpp>

#include "access/client_network.hpp"
#include "access/sip_hash.hpp"

namespace concerto::net {
namespace {

using boost::asio::ip::address_v6;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds limit_line_interval{60};

/// A caller has one object for its name.
std::array<std::uint64_t, 2> key_of(const CallerId& caller) noexcept {
  return {std::bit_cast<std::uintptr_t>(caller.name().data()), 0};
}

nanoseconds time_of(std::size_t amount, std::size_t per_second) noexcept {
  constexpr double second = std::chrono::nanoseconds{seconds{1}}.count();
  return nanoseconds{static_cast<std::int64_t>(static_cast<double>(amount) * second /
                                               static_cast<double>(per_second))};
}

unsigned seconds_until(SteadyTime then, SteadyTime now) noexcept {
  return static_cast<unsigned>(std::max<std::int64_t>(
      1, std::chrono::ceil<seconds>(std::min<nanoseconds>(then - now, std::chrono::hours{1}))
             .count()));
}

Refusal limited(std::string sentence, unsigned retry_after) {
  return {Refusal::Kind::limited, std::move(sentence), retry_after};
}

}  // namespace

RequestLimiter::RequestLimiter(const Clock& clock, RandomSource& random,
                               std::function<void(const std::string&)> say)
    : clock_(clock), hash_key_{random.next(), random.next()}, say_(std::move(say)) {}

void RequestLimiter::set_limits(const RequestLimits& limits) {
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    part.limits = limits;
    if (!limits.is_on() || !part.callers.empty()) continue;
    part.callers.resize(sets / parts);
    part.addresses.resize(sets / parts);
  }
  is_on_.store(limits.is_on(), std::memory_order_relaxed);
}

/// The place of a client; a new one replaces the one that has used least.
RequestLimiter::Client& RequestLimiter::find(Set& set, const Key& key) noexcept {
  const auto used = [](const Client& client) {
    return client.is_used ? std::max(client.requests_until, client.bytes_until) : SteadyTime::min();
  };
  Client* least = &set.front();
  for (Client& client : set) {
    if (client.is_used && client.key == key) return client;
    if (used(client) < used(*least)) least = &client;
  }
  *least = Client{};
  least->key = key;
  least->is_used = true;
  return *least;
}

std::optional<Refusal> RequestLimiter::refuse(const RequestContext& context,
                                              std::size_t body_bytes) {
  if (!context.peer.is_set()) return std::nullopt;  // the process itself
  const bool is_named = context.caller.is_known();
  const Key key = is_named ? key_of(context.caller) : network_of(context.peer);
  const std::uint64_t hash = SipHash<1, 3>{hash_key_}({key[0], key[1]}, {})[0];
  Part& part = parts_[hash % parts];
  const SteadyTime now = clock_.steady_now();
  std::optional<Refusal> refusal;
  std::string line;
  {
    const std::lock_guard lock(part.mutex);
    const RequestLimits& limits = part.limits;
    if (!limits.is_on()) return std::nullopt;
    if (limits.exempt.contains(address_v6{context.peer.bytes})) return std::nullopt;
    auto& table = is_named ? part.callers : part.addresses;
    Client& client = find(table[hash / parts % table.size()], key);
    refusal = refuse_requests(client, limits, now);
    if (!refusal && body_bytes > 0) refusal = refuse_bytes(client, limits, now);
    if (refusal) {
      line = line_about(client, context, refusal->sentence, now);
    } else {
      if (limits.requests_per_second > 0) {
        client.requests_until =
            std::max(client.requests_until, now) + time_of(1, limits.requests_per_second);
      }
      if (limits.bytes_per_second > 0) {
        client.bytes_until =
            std::max(client.bytes_until, now) + time_of(body_bytes, limits.bytes_per_second);
      }
    }
  }
  if (!line.empty()) say_(line);
  return refusal;
}

std::optional<Refusal> RequestLimiter::refuse_requests(Client& client, const RequestLimits& limits,
                                                       SteadyTime now) {
  if (limits.requests_per_second == 0) return std::nullopt;
  const std::size_t burst = limits.burst > 0 ? limits.burst : limits.requests_per_second;
  const SteadyTime free_at = client.requests_until - time_of(burst - 1, limits.requests_per_second);
  if (free_at <= now) return std::nullopt;
  refused_requests_.fetch_add(1, std::memory_order_relaxed);
  return limited("this client sends more than " + counted(limits.requests_per_second, "request") +
                     " per second (Limits.RequestsPerSecond): try again later",
                 seconds_until(free_at, now));
}

/// A body may be larger than what is left of a second: the next one then waits for longer.
std::optional<Refusal> RequestLimiter::refuse_bytes(Client& client, const RequestLimits& limits,
                                                    SteadyTime now) {
  if (limits.bytes_per_second == 0) return std::nullopt;
  const SteadyTime free_at = client.bytes_until - seconds{1};
  if (free_at < now) return std::nullopt;
  refused_bytes_.fetch_add(1, std::memory_order_relaxed);
  return limited("this client sends more than " + counted(limits.bytes_per_second, "byte") +
                     " per second (Limits.BytesPerSecond): try again later",
                 seconds_until(free_at, now));
}

/// What is to be said of a refused request; empty if enough was said.
std::string RequestLimiter::line_about(Client& client, const RequestContext& context,
                                       std::string_view why, SteadyTime now) {
  ++client.unreported;
  if (now < client.next_line) return {};
  {
    const std::lock_guard lock(lines_mutex_);
    if (now - lines_since_ >= limit_line_interval) {
      lines_since_ = now;
      lines_ = 0;
    }
    if (lines_ == lines_max) return {};
    ++lines_;
  }
  client.next_line = now + limit_line_interval;
  return "a request is refused, " + context.told() + ": " + std::string{why} + " (" +
         std::to_string(std::exchange(client.unreported, 0)) + " since the last such line)";
}

}  // namespace concerto::net
