#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ssl/context.hpp>

#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/transport/host_resolver.hpp>
#include <concerto/transport/http_proxy.hpp>
#include <concerto/transport/target_guard.hpp>
#include <concerto/transport/url.hpp>

#include "call_deadline.hpp"
#include "client_connection.hpp"

namespace concerto::net {

/// Where a connection goes to: the server of a URL, or a proxy.
struct Destination {
  std::string host;
  std::string port;
  TargetPlace place;
  const TargetGuard* targets = nullptr;  ///< asked about the place; null: all is allowed
};

/// The error of a call whose target a policy refuses.
Error refused_target(const Error& why);

/// Asks the policy that is in force now about the address of `connection`, unless it was asked.
Result<> check_address(ClientConnection& connection, const TargetGuard* targets,
                       const TargetPlace& place);

/// Opens connections: looks the name up, connects to the first address that answers, asks a proxy
/// for a tunnel, and performs the TLS handshake. Requests that need the same name at the same time
/// share one look-up, which goes on while any of them waits.
class Connector {
 public:
  Connector(Executor executor, Timers& timers, HostResolver& resolver,
            std::shared_ptr<asio::ssl::context> tls);

  /// Opens a connection to the server of `url`, which must stay valid. If `proxy` is not null, the
  /// connection goes through it. Without a proxy, `targets` is asked about the host before the
  /// look-up, and about each address before it is connected to; null allows all.
  Async<std::unique_ptr<ClientConnection>> open(Url url, const HttpProxyRules::Proxy* proxy,
                                                const TargetGuard* targets, CallDeadline& deadline);

  /// Sets the TLS context of the connections that are opened from now on.
  void set_tls(std::shared_ptr<asio::ssl::context> tls) { tls_ = std::move(tls); }

  /// Ends all look-ups.
  Task<void> close();

 private:
  struct Lookup {
    explicit Lookup(Executor executor) : ended(std::move(executor)) {}
    Notifier ended;
    std::optional<Result<HostAddressList>> result;
    std::size_t waiting_count = 0;  ///< waiting requests
    std::shared_ptr<LookupInterest> interest = std::make_shared<LookupInterest>();
  };

  Async<HostAddressList> look_up(std::string host, CallDeadline& deadline);
  Async<HostAddressList> look_up_allowed(Url url, const TargetGuard& targets,
                                         CallDeadline& deadline);
  std::shared_ptr<Lookup> join_lookup(const std::string& host);
  void leave_lookup(const std::string& host, const std::shared_ptr<Lookup>& lookup);
  void forget_lookup(const std::string& host, const std::shared_ptr<Lookup>& lookup);
  Task<void> run_lookup(std::string host, std::shared_ptr<Lookup> lookup);
  Async<> connect(ClientConnection& connection, HostAddressList addresses, Destination to,
                  CallDeadline& deadline);
  Async<> tunnel(ClientConnection& connection, Url url, const HttpProxyRules::Proxy& proxy,
                 CallDeadline& deadline);
  Async<> secure(ClientConnection& connection, std::string host, CallDeadline& deadline);

  Executor executor_;
  Timers& timers_;
  HostResolver& resolver_;
  std::shared_ptr<asio::ssl::context> tls_;
  std::map<std::string, std::shared_ptr<Lookup>> lookups_;
  TaskGroup group_;
};

}  // namespace concerto::net
