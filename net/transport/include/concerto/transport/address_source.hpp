#pragma once

#include <functional>
#include <list>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto::net {

using Address = boost::asio::ip::tcp::endpoint;

/// The socket addresses of one target on one shard, as far as a resolver knows them.
///
/// A resolver (static, DNS, etcd, ...) derives from this class and calls publish or publish_error
/// on its shard whenever it learns something; a channel listens. Before the first publish or
/// publish_error the target is "still resolving", and calls to it wait until their deadline. The
/// source must outlive the channels that listen to it.
class CONCERTO_EXPORT AddressSource {
 public:
  virtual ~AddressSource() = default;
  AddressSource(const AddressSource&) = delete;
  AddressSource& operator=(const AddressSource&) = delete;

  /// The addresses, in order, without duplicates.
  const std::vector<Address>& addresses() const noexcept { return addresses_; }

  /// Why there is no address. The code has the value 0 while the target is still resolving or while
  /// there are addresses.
  const Error& error() const noexcept { return error_; }

  bool resolving() const noexcept { return addresses_.empty() && !error_.code; }

  /// Called when a channel needs addresses (at its first call), or could not connect to the
  /// addresses that it has. A resolver that works on demand starts or repeats its look-up, but not
  /// too often. What it learns is published after this function has returned.
  virtual void refresh() {}

  /// Tells a listener about every change until the listener is destroyed.
  class Listener {
   public:
    Listener(AddressSource& source, std::function<void()> on_change);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

   private:
    friend class AddressSource;
    AddressSource& source_;
    std::function<void()> on_change_;
    std::list<Listener*>::iterator place_;
  };

 protected:
  AddressSource() = default;

  /// Sets the target's addresses; duplicates are dropped. The list must not be empty: use
  /// publish_error.
  void publish(std::vector<Address> addresses);

  /// Says that there is no address, and why. Earlier addresses are forgotten, so a resolver whose
  /// repeated look-up failed does not call this.
  void publish_error(Error error);

 private:
  void notify();

  std::vector<Address> addresses_;
  Error error_;
  std::list<Listener*> listeners_;
};

/// Addresses that never change.
class CONCERTO_EXPORT StaticAddresses final : public AddressSource {
 public:
  explicit StaticAddresses(std::vector<Address> addresses);
};

}  // namespace concerto::net
