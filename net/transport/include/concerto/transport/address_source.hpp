#pragma once

#include <functional>
#include <list>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/error.hpp>

namespace concerto::net {

using Address = boost::asio::ip::tcp::endpoint;

/// The socket addresses of one target on one shard, as a resolver knows them.
///
/// A resolver (static, DNS, etcd, ...) derives from this and calls publish or publish_error from
/// its shard whenever it learns something; a channel listens. Before the first of these calls the
/// target is "still resolving" and calls wait for it until their deadline. The source must
/// outlive the channels that listen to it.
class AddressSource {
 public:
  virtual ~AddressSource() = default;
  AddressSource(const AddressSource&) = delete;
  AddressSource& operator=(const AddressSource&) = delete;

  /// In order, without duplicates.
  const std::vector<Address>& addresses() const noexcept { return addresses_; }

  /// Why there is no address. A code of value 0 while still resolving or while there are some.
  const Error& error() const noexcept { return error_; }

  bool resolving() const noexcept { return addresses_.empty() && !error_.code; }

  /// A channel needs addresses (first call) or could not connect to those it has. A resolver that
  /// works on demand starts or repeats its look-up, at most as often as it finds reasonable.
  /// What it learns is published after this function has returned.
  virtual void refresh() {}

  /// Tells a listener about every change until it goes.
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

  /// The target's addresses from now on; duplicates are dropped. An empty list is an error:
  /// use publish_error.
  void publish(std::vector<Address> addresses);

  /// There is no address, for this reason. Earlier addresses are forgotten: a resolver that only
  /// failed to look again keeps quiet instead.
  void publish_error(Error error);

 private:
  void notify();

  std::vector<Address> addresses_;
  Error error_;
  std::list<Listener*> listeners_;
};

/// Addresses that never change.
class StaticAddresses final : public AddressSource {
 public:
  explicit StaticAddresses(std::vector<Address> addresses);
};

}  // namespace concerto::net
