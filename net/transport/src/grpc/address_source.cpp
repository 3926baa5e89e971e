#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/transport/address_source.hpp>

namespace concerto::net {

AddressSource::Listener::Listener(AddressSource& source, std::function<void()> on_change)
    : source_(source), on_change_(std::move(on_change)) {
  place_ = source_.listeners_.insert(source_.listeners_.end(), this);
}

AddressSource::Listener::~Listener() {
  source_.listeners_.erase(place_);
}

void AddressSource::publish(std::vector<Address> addresses) {
  CONCERTO_ASSERT(!addresses.empty());
  std::vector<Address> distinct;
  distinct.reserve(addresses.size());
  for (const Address& address : addresses) {
    if (std::find(distinct.begin(), distinct.end(), address) == distinct.end()) {
      distinct.push_back(address);
    }
  }
  if (distinct == addresses_) return;
  addresses_ = std::move(distinct);
  error_ = {};
  notify();
}

void AddressSource::publish_error(Error error) {
  addresses_.clear();
  error_ = std::move(error);
  notify();
}

void AddressSource::notify() {
  // The listener that is being called may be destroyed by the call; no other listener may.
  for (auto next = listeners_.begin(); next != listeners_.end();) {
    Listener* listener = *next++;
    listener->on_change_();
  }
}

StaticAddresses::StaticAddresses(std::vector<Address> addresses) {
  publish(std::move(addresses));
}

}  // namespace concerto::net
