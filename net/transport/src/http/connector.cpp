#include "connector.hpp"

#include <algorithm>
#include <charconv>

#include "body_collector.hpp"
#include "client_exchange.hpp"

namespace concerto::net {
namespace {

// Each address gets its share of the time until the deadline, but never less than this.
constexpr std::chrono::seconds attempt_timeout_min{2};

constexpr std::size_t proxy_answer_bytes_max = 16 << 10;

SteadyTime attempt_limit(SteadyTime now, SteadyTime deadline, std::size_t attempts_left) {
  if (attempts_left <= 1) return deadline;
  const auto share = (deadline - now) / static_cast<std::ptrdiff_t>(attempts_left);
  return std::min(deadline, now + std::max<SteadyTime::duration>(share, attempt_timeout_min));
}

}  // namespace

Error refused_target(const Error& why) {
  return make_error(HttpErrc::target_refused, why.detail);
}

Result<> check_address(ClientConnection& connection, const TargetGuard* targets,
                       const TargetPlace& place) {
  if (targets == nullptr) return ok();
  const TargetPolicy& now = targets->policy();
  if (connection.allowed_by == &now) return ok();
  const Result<> allowed = targets->shown(place, now.check(place, connection.address));
  if (!allowed) return refused_target(allowed.error());
  connection.allowed_by = &now;
  return ok();
}

Connector::Connector(Executor executor, Timers& timers, HostResolver& resolver,
                     std::shared_ptr<asio::ssl::context> tls)
    : executor_(executor),
      timers_(timers),
      resolver_(resolver),
      tls_(std::move(tls)),
      group_(executor) {}

Task<void> Connector::close() {
  return group_.close();
}

Async<std::unique_ptr<ClientConnection>> Connector::open(Url url,
                                                         const HttpProxyRules::Proxy* proxy,
                                                         const TargetGuard* targets,
                                                         CallDeadline& deadline) {
  auto connection = std::make_unique<ClientConnection>(executor_);
  Destination to;
  to.host = proxy ? std::string_view{proxy->host} : url.host;
  to.port = proxy ? std::string_view{proxy->port} : url.port;
  to.place = place_of(url);
  if (proxy == nullptr) to.targets = targets;
  auto lookup = to.targets ? look_up_allowed(url, *targets, deadline) : look_up(to.host, deadline);
  CONCERTO_CO_TRY(HostAddressList addresses, co_await std::move(lookup));
  CONCERTO_CO_CHECK(co_await connect(*connection, std::move(addresses), std::move(to), deadline));
  if (url.is_https) {
    if (proxy) CONCERTO_CO_CHECK(co_await tunnel(*connection, url, *proxy, deadline));
    const std::string server{url.host};
    CONCERTO_CO_CHECK(co_await secure(*connection, server, deadline));
  }
  co_return connection;
}

/// The addresses that the policy allows. An error if there is none.
Async<HostAddressList> Connector::look_up_allowed(Url url, const TargetGuard& targets,
                                                  CallDeadline& deadline) {
  const TargetPlace place = place_of(url);
  if (const auto allowed = targets.check(place); !allowed)
    co_return refused_target(allowed.error());
  std::string host{url.host};
  CONCERTO_CO_TRY(HostAddressList addresses, co_await look_up(std::move(host), deadline));
  Result<> last = ok();
  std::erase_if(addresses, [&](const asio::ip::address& address) {
    Result<> allowed = targets.check(place, address);
    const bool is_refused = !allowed;
    if (is_refused) last = std::move(allowed);
    return is_refused;
  });
  if (addresses.empty()) co_return refused_target(last.error());
  co_return addresses;
}

Async<HostAddressList> Connector::look_up(std::string host, CallDeadline& deadline) {
  error_code not_numeric;
  if (const auto address = asio::ip::make_address(host, not_numeric); !not_numeric) {
    co_return HostAddressList{address};
  }
  const auto lookup = join_lookup(host);
  {
    const CallDeadline::Watch watch{deadline, lookup->ended};
    while (!lookup->result && !deadline.is_over()) {
      const bool notified = co_await lookup->ended.wait();
      if (!notified) break;
    }
  }
  leave_lookup(host, lookup);
  if (!lookup->result) {
    co_return deadline.explain(asio::error::operation_aborted, HttpErrc::resolve_failed,
                               "lookup " + host);
  }
  if (!*lookup->result) {
    co_return make_error(HttpErrc::resolve_failed, lookup->result->error().detail);
  }
  co_return **lookup->result;
}

std::shared_ptr<Connector::Lookup> Connector::join_lookup(const std::string& host) {
  auto lookup = lookups_[host];
  if (!lookup) {
    lookup = std::make_shared<Lookup>(executor_);
    lookups_[host] = lookup;
    group_.spawn(run_lookup(host, lookup));  // The look-up may end at once and remove its entry.
  }
  ++lookup->waiting_count;
  return lookup;
}

/// When the last request leaves, the look-up is given up; it may not even have begun.
void Connector::leave_lookup(const std::string& host, const std::shared_ptr<Lookup>& lookup) {
  if (--lookup->waiting_count > 0 || lookup->result) return;
  forget_lookup(host, lookup);  // The next request begins a new look-up.
  lookup->interest->lose();
}

void Connector::forget_lookup(const std::string& host, const std::shared_ptr<Lookup>& lookup) {
  const auto known = lookups_.find(host);
  if (known != lookups_.end() && known->second == lookup) lookups_.erase(known);
}

Task<void> Connector::run_lookup(std::string host, std::shared_ptr<Lookup> lookup) {
  lookup->result = co_await resolver_.resolve_while(host, lookup->interest);
  forget_lookup(host, lookup);
  lookup->ended.notify_all();
}

Async<> Connector::connect(ClientConnection& connection, HostAddressList addresses, Destination to,
                           CallDeadline& deadline) {
  Socket& socket = connection.socket();
  const CallDeadline::Watch watch{deadline, socket};
  unsigned short number = 0;
  std::from_chars(to.port.data(), to.port.data() + to.port.size(), number);
  error_code failure = asio::error::host_not_found;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    // The policy may be another one than during the look-up, or the attempt before.
    connection.address = addresses[i];
    connection.allowed_by = nullptr;
    CONCERTO_CO_CHECK(check_address(connection, to.targets, to.place));
    bool attempt_over = false;
    Timer attempt{timers_, [&socket, &attempt_over] {
                    attempt_over = true;
                    error_code ignored;
                    socket.close(ignored);
                  }};
    const std::size_t left = addresses.size() - i;
    if (left > 1) attempt.set(attempt_limit(timers_.now(), deadline.at(), left));
    const asio::ip::tcp::endpoint endpoint{addresses[i], number};
    const auto [error] = co_await socket.async_connect(endpoint, tuple_task);
    if (!error && !attempt_over && !deadline.is_over()) {
      connection.stream().set_no_delay();
      co_return ok();
    }
    failure = attempt_over ? make_error_code(asio::error::timed_out) : error;
    if (deadline.is_over() || failure == asio::error::operation_aborted) break;
    error_code ignored;
    socket.close(ignored);
  }
  co_return deadline.explain(failure, HttpErrc::connect_failed,
                             "connect to " + to.host + ":" + to.port);
}

Async<> Connector::tunnel(ClientConnection& connection, Url url, const HttpProxyRules::Proxy& proxy,
                          CallDeadline& deadline) {
  const CallDeadline::Watch watch{deadline, connection.socket()};
  const std::string what = "proxy " + proxy.host + ":" + proxy.port;
  std::string target;
  append_authority(target, url, true);
  std::string head = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy.authorization.empty()) {
    head.append("Proxy-Authorization: ").append(proxy.authorization).append("\r\n");
  }
  head.append("\r\n");
  const Outgoing outgoing{head, {}};
  bool sent_any = false;
  error_code error = co_await connection.write(outgoing, sent_any);
  BodyCollector no_body{0};
  ResponseParser parser{proxy_answer_bytes_max, no_body};
  parser.skip_body();
  if (!error) error = co_await read_message(connection, parser);
  if (error) co_return deadline.explain(error, HttpErrc::proxy_failed, what);
  if (parser.status() != 200 || !connection.buffer().empty()) {
    co_return make_error(HttpErrc::proxy_failed,
                         what + " answered CONNECT with status " + std::to_string(parser.status()));
  }
  co_return ok();
}

Async<> Connector::secure(ClientConnection& connection, std::string host, CallDeadline& deadline) {
  const CallDeadline::Watch watch{deadline, connection.socket()};
  // Set_tls may replace the context during the handshake, which needs the old one.
  const auto tls = tls_;
  const error_code error = co_await connection.start_tls(*tls, host);
  if (!error) co_return ok();
  std::string detail = "TLS handshake with " + host;
  error_code cause = error;
  if (const Error& failure = connection.stream().tls_failure(); failure.code) {
    detail.append(": ").append(failure.detail);
    cause = {};
  }
  co_return deadline.explain(cause, HttpErrc::tls_failed, std::move(detail));
}

}  // namespace concerto::net
