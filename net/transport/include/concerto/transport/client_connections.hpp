#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <boost/asio/ip/address.hpp>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/transport/address_set.hpp>

namespace concerto::net {

class ClientConnections;

/// What the addresses of one client have in common: all of an IPv4 address, but the first half of
/// an IPv6 address, because one host may have all addresses with this half (/64).
struct CONCERTO_EXPORT ClientNetwork {
  std::array<std::uint64_t, 2> words{};

  static ClientNetwork of(const boost::asio::ip::address& address) noexcept;
  bool operator==(const ClientNetwork&) const = default;
};

/// Counts one connection of a client as long as it exists. Empty by default.
class CONCERTO_EXPORT ClientPlace {
 public:
  ClientPlace() = default;
  ClientPlace(ClientPlace&& other) noexcept;
  ClientPlace& operator=(ClientPlace&& other) noexcept;
  ~ClientPlace();

 private:
  friend class ClientConnections;
  ClientPlace(std::shared_ptr<ClientConnections> counter, ClientNetwork network) noexcept;

  std::shared_ptr<ClientConnections> counter_;
  ClientNetwork network_;
};

/// Limits how many connections one client has open. All ports and shards share the object.
/// Thread-safe. It has an entry for each client that has connections, so its memory is limited as
/// they are.
class CONCERTO_EXPORT ClientConnections : public std::enable_shared_from_this<ClientConnections> {
 public:
  /// More lines in a minute are left out.
  static constexpr unsigned lines_max = 10;

  /// `say` is called with a sentence for the operator, on the thread of a listener: at most once a
  /// minute for each client. It names the limit.
  ClientConnections(const Clock& clock, std::function<void(const std::string&)> say,
                    std::string limit_name);
  ClientConnections(const ClientConnections&) = delete;
  ClientConnections& operator=(const ClientConnections&) = delete;

  /// 0: no limit. Addresses of `exempt` have none either. Connections that were accepted without a
  /// limit are never counted.
  void set_limit(std::size_t per_client_max, AddressSet exempt);

  /// Counts a connection. False if the client has as many as it may have.
  [[nodiscard]] bool take(const boost::asio::ip::address& client, ClientPlace& place);

  std::uint64_t refused_count() const noexcept { return refused_.load(std::memory_order_relaxed); }

 private:
  friend class ClientPlace;

  struct Hash {
    std::size_t operator()(const ClientNetwork& of) const noexcept;
  };
  struct Client {
    std::size_t connections = 0;
    std::size_t unreported = 0;
    SteadyTime next_line = SteadyTime::min();
  };

  std::string note_refused(Client& client, const boost::asio::ip::address& address);
  void give_back(const ClientNetwork& network) noexcept;

  const Clock& clock_;
  const std::function<void(const std::string&)> say_;
  const std::string limit_name_;
  std::atomic<std::size_t> max_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::mutex mutex_;  ///< of everything below
  AddressSet exempt_;
  std::unordered_map<ClientNetwork, Client, Hash> clients_;
  SteadyTime lines_since_ = SteadyTime::min();
  unsigned lines_ = 0;
};

}  // namespace concerto::net
