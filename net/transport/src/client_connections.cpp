#include <functional>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/counted.hpp>
#include <concerto/transport/client_connections.hpp>

#include "target/address_range.hpp"

namespace concerto::net {
namespace {

constexpr std::chrono::seconds client_line_interval{60};

}  // namespace

ClientNetwork ClientNetwork::of(const boost::asio::ip::address& address) noexcept {
  const AddressBits bits = bits_of(address);
  return {{bits.high, bits.is_v4() ? bits.low : 0}};
}

ClientPlace::ClientPlace(std::shared_ptr<ClientConnections> counter, ClientNetwork network) noexcept
    : counter_(std::move(counter)), network_(network) {}

ClientPlace::ClientPlace(ClientPlace&& other) noexcept
    : counter_(std::move(other.counter_)), network_(other.network_) {}

ClientPlace& ClientPlace::operator=(ClientPlace&& other) noexcept {
  std::swap(counter_, other.counter_);
  std::swap(network_, other.network_);
  return *this;
}

ClientPlace::~ClientPlace() {
  if (counter_) counter_->give_back(network_);
}

/// Not keyed: whoever chooses addresses to collide has to open a connection from each.
std::size_t ClientConnections::Hash::operator()(const ClientNetwork& of) const noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15U;
  return static_cast<std::size_t>((of.words[0] * odd) ^ ((of.words[1] + odd) * odd >> 16U));
}

ClientConnections::ClientConnections(const Clock& clock,
                                     std::function<void(const std::string&)> say,
                                     std::string limit_name)
    : clock_(clock), say_(std::move(say)), limit_name_(std::move(limit_name)) {}

void ClientConnections::set_limit(std::size_t per_client_max, AddressSet exempt) {
  const std::lock_guard lock(mutex_);
  exempt_ = std::move(exempt);
  max_.store(per_client_max, std::memory_order_relaxed);
}

bool ClientConnections::take(const boost::asio::ip::address& client, ClientPlace& place) {
  const std::size_t max = max_.load(std::memory_order_relaxed);
  if (max == 0) return true;
  const ClientNetwork network = ClientNetwork::of(client);
  std::string line;
  {
    const std::lock_guard lock(mutex_);
    if (exempt_.contains(client)) return true;
    Client& counted = clients_[network];
    if (counted.connections < max) {
      ++counted.connections;
      place = ClientPlace{shared_from_this(), network};
      return true;
    }
    line = note_refused(counted, client);
  }
  if (!line.empty()) say_(line);
  return false;
}

/// Returns what has to be said.
std::string ClientConnections::note_refused(Client& client,
                                            const boost::asio::ip::address& address) {
  refused_.fetch_add(1, std::memory_order_relaxed);
  ++client.unreported;
  const SteadyTime now = clock_.steady_now();
  if (now < client.next_line) return {};
  if (now >= lines_since_ + client_line_interval || lines_since_ == SteadyTime::min()) {
    lines_since_ = now;
    lines_ = 0;
  }
  if (lines_ == lines_max) return {};
  ++lines_;
  client.next_line = now + client_line_interval;
  return "client " + address.to_string() + " has " + counted(client.connections, "connection") +
         " open (" + limit_name_ +
         "), so new ones are closed: " + std::to_string(std::exchange(client.unreported, 0)) +
         " since the last such line";
}

void ClientConnections::give_back(const ClientNetwork& network) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = clients_.find(network);
  CONCERTO_ASSERT(found != clients_.end() && found->second.connections > 0);
  if (--found->second.connections == 0) clients_.erase(found);
}

}  // namespace concerto::net
