#include <utility>

#include <boost/intrusive/list.hpp>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/url_parts.hpp>
#include <concerto/transport/http_client.hpp>
#include <concerto/transport/url.hpp>

#include "call_deadline.hpp"
#include "client_exchange.hpp"
#include "connection_pool.hpp"
#include "connector.hpp"
#include "redirect.hpp"

namespace concerto::net {

class HttpClient::Impl {
 public:
  Impl(Executor executor, Timers& timers, HostResolver& resolver,
       std::shared_ptr<asio::ssl::context> tls, HttpProxyRules proxies, HttpClientOptions options)
      : timers_(timers),
        proxies_(std::move(proxies)),
        options_(std::move(options)),
        has_tls_(tls != nullptr),
        pool_(executor, timers,
              {options.connections_per_host_max, options.connections_max, options.idle_timeout}),
        ended_(executor),
        connector_(executor, timers, resolver, std::move(tls)) {}

  Async<HttpClientResponse> send(HttpClientRequest request, SteadyTime at);
  Task<void> close();

  void set_tls(std::shared_ptr<asio::ssl::context> tls) {
    has_tls_ = tls != nullptr;
    connector_.set_tls(std::move(tls));
  }
  const ConnectionPool& pool() const noexcept { return pool_; }
  const TargetGuard* targets() const noexcept { return options_.targets; }
  void targets_changed() { pool_.close_idle_unless(policy()); }

 private:
  using Calls = boost::intrusive::list<CallDeadline, boost::intrusive::constant_time_size<false>>;

  Async<HttpClientResponse> round_trip(const HttpClientRequest& request, CallDeadline& deadline);
  const TargetPolicy* policy() const noexcept {
    return options_.targets ? &options_.targets->policy() : nullptr;
  }

  Timers& timers_;
  HttpProxyRules proxies_;
  HttpClientOptions options_;
  bool has_tls_;
  bool closing_ = false;
  ConnectionPool pool_;
  Calls calls_;
  Notifier ended_;
  Connector connector_;
};

namespace {

/// The key of the connections that this request may share.
std::string pool_key(const Url& url, const HttpProxyRules::Proxy* proxy) {
  std::string key;
  if (proxy && !url.is_https) return key.append("p").append(proxy->host).append(proxy->port);
  key.append(url.is_https ? "s" : "h");
  append_authority(key, url);
  return key;
}

/// The field Host names the site that a server with several ones shows. The name of the URL was
/// allowed; another name has to be, too, by a rule about names.
Result<> check_host_field(const TargetGuard& targets, TargetPlace place, std::string_view field) {
  CONCERTO_TRY(const HostAndPort named, split_host_port(field));
  const std::uint16_t port = parse_port(named.port).value_or(place.port);
  if (equals_ignoring_case(named.host, place.host) && port == place.port) return ok();
  place.host = named.host;
  place.port = port;
  return targets.shown(place, targets.policy().check_unresolved(place));
}

/// What the policy says of a request, apart from the address of its connection. A proxy looks the
/// host up itself, and may go by the Host field.
Result<> check_request(const TargetGuard& targets, const HttpClientRequest& request, const Url& url,
                       bool proxied) {
  const auto named = request.headers.find("Host");
  if (!named && !proxied) return ok();
  const TargetPlace place = place_of(url);
  Result<> allowed = ok();
  if (proxied) allowed = targets.shown(place, targets.policy().check_unresolved(place));
  if (allowed && named) allowed = check_host_field(targets, place, *named);
  return allowed ? ok() : Result<>(refused_target(allowed.error()));
}

}  // namespace

Async<HttpClientResponse> HttpClient::Impl::send(HttpClientRequest request, SteadyTime at) {
  if (closing_) co_return make_error(HttpErrc::closing, "the client is closing");
  CONCERTO_CO_CHECK(check_headers(request.headers));
  const auto tell = [](Impl* client) {
    if (client->closing_) client->ended_.notify_all();
  };
  const std::unique_ptr<Impl, decltype(tell)> ended{this, tell};
  CallDeadline deadline{timers_, at};
  calls_.push_back(deadline);
  for (unsigned hops = 0;; ++hops) {
    auto answer = co_await round_trip(request, deadline);
    if (!answer && hops > 0 && answer.error().code == HttpErrc::target_refused) {
      // What the server before has answered is not for everybody.
      co_return make_error(HttpErrc::target_refused,
                           "redirected to a target that TargetAllow or TargetDeny refuses");
    }
    CONCERTO_CO_TRY(HttpClientResponse response, std::move(answer));
    if (!follow_redirect(request, response, options_.redirects_carry_headers)) co_return response;
    if (hops == options_.redirects_max) {
      co_return make_error(HttpErrc::too_many_redirects,
                           "stopped after " + std::to_string(hops) + " redirects");
    }
  }
}

Async<HttpClientResponse> HttpClient::Impl::round_trip(const HttpClientRequest& request,
                                                       CallDeadline& deadline) {
  CONCERTO_CO_TRY(const Url url, parse_url(request.url));
  if (url.is_https && !has_tls_) {
    co_return make_error(HttpErrc::unsupported_scheme,
                         "no TLS set up for " + masked_url(request.url));
  }
  const auto* proxy = proxies_.find(url.is_https, url.host, url.port);
  const TargetPolicy* asked = policy();
  if (asked) CONCERTO_CO_CHECK(check_request(*targets(), request, url, proxy != nullptr));
  std::string key = pool_key(url, proxy);
  auto lease = pool_.try_acquire(key);
  if (!lease) lease = co_await pool_.acquire(std::move(key), deadline);
  if (!lease || deadline.is_over()) {
    co_return deadline.explain(asio::error::operation_aborted, HttpErrc::connect_failed,
                               "wait for a connection to " + masked_url(request.url));
  }
  lease.hold_for(deadline);
  // After a reload the policy may refuse what it let be opened before.
  if (lease.connection && !proxy && lease.connection->allowed_by != policy()) {
    lease.connection.reset();
  }
  const SteadyTime begun = timers_.now();
  for (bool reused = lease.connection != nullptr;; reused = false) {
    if (!lease.connection) {
      CONCERTO_CO_TRY(lease.connection, co_await connector_.open(url, proxy, targets(), deadline));
    }
    // Each wait above may have brought another policy.
    if (!proxy && lease.connection->allowed_by != policy()) {
      CONCERTO_CO_CHECK(check_address(*lease.connection, targets(), place_of(url)));
    }
    if (const TargetPolicy* now = policy(); now != asked) {
      CONCERTO_CO_CHECK(check_request(*targets(), request, url, proxy != nullptr));
      asked = now;
    }
    write_request_head(lease.connection->scratch(), request, url, url.is_https ? nullptr : proxy);
    ExchangeResult done = co_await exchange(*lease.connection, request, options_, deadline);
    const bool is_allowed = proxy || lease.connection->allowed_by == policy();
    if (done.response && done.reusable && is_allowed) lease.keep();
    if (!done.response && reused && deadline.has_passed()) lease.drop_idle_since(begun);
    if (done.response || !reused || done.sent_any || deadline.is_over()) {
      co_return std::move(done.response);
    }
    lease.connection.reset();
  }
}

Task<void> HttpClient::Impl::close() {
  closing_ = true;
  for (CallDeadline& call : calls_) call.close();
  pool_.close_idle();
  co_await connector_.close();
  while (!calls_.empty()) co_await ended_.wait();
  pool_.close_idle();
}

HttpClient::HttpClient(Executor executor, Timers& timers, HostResolver& resolver,
                       std::shared_ptr<asio::ssl::context> tls, HttpProxyRules proxies,
                       HttpClientOptions options)
    : impl_(std::make_unique<Impl>(executor, timers, resolver, std::move(tls), std::move(proxies),
                                   options)) {}

HttpClient::~HttpClient() = default;

Async<HttpClientResponse> HttpClient::send(HttpClientRequest request, SteadyTime deadline) {
  return impl_->send(std::move(request), deadline);
}

void HttpClient::set_tls(std::shared_ptr<asio::ssl::context> tls) {
  impl_->set_tls(std::move(tls));
}

Result<> HttpClient::check_target(const TargetPlace& place) const {
  const TargetGuard* targets = impl_->targets();
  return targets ? targets->check(place) : ok();
}

Result<> HttpClient::check_host(const TargetPlace& place, std::string_view host_field) const {
  const TargetGuard* targets = impl_->targets();
  return targets ? check_host_field(*targets, place, host_field) : ok();
}

void HttpClient::targets_changed() {
  impl_->targets_changed();
}

Task<void> HttpClient::close() {
  return impl_->close();
}

std::size_t HttpClient::connection_count() const noexcept {
  return impl_->pool().total();
}

std::size_t HttpClient::idle_connection_count() const noexcept {
  return impl_->pool().idle_count();
}

}  // namespace concerto::net
