#include <utility>

#include <boost/intrusive/list.hpp>

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
  const TargetPolicy* policy() const noexcept {
    return options_.targets ? &options_.targets->policy() : nullptr;
  }

 private:
  using Calls = boost::intrusive::list<CallDeadline, boost::intrusive::constant_time_size<false>>;

  Async<HttpClientResponse> round_trip(const HttpClientRequest& request, CallDeadline& deadline);

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

/// A proxy looks the host up itself, and may go by the Host field.
Result<> check_proxied(const TargetPolicy& policy, const HttpClientRequest& request,
                       const Url& url) {
  TargetPlace place = place_of(url);
  Result<> allowed = policy.check_unresolved(place);
  if (const auto named = request.headers.find("Host"); named && allowed) {
    CONCERTO_TRY(const HostAndPort host, split_host_port(*named));
    place.host = host.host;
    place.port = parse_port(host.port).value_or(place.port);
    allowed = policy.check_unresolved(place);
  }
  if (allowed) return allowed;
  return make_error(HttpErrc::target_refused, allowed.error().detail);
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
    CONCERTO_CO_TRY(HttpClientResponse response, co_await round_trip(request, deadline));
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
    co_return make_error(HttpErrc::unsupported_scheme, "no TLS set up for " + request.url);
  }
  const auto* proxy = proxies_.find(url.is_https, url.host, url.port);
  const TargetPolicy* const allowed_by = policy();
  if (proxy && allowed_by) CONCERTO_CO_CHECK(check_proxied(*allowed_by, request, url));
  std::string key = pool_key(url, proxy);
  auto lease = pool_.try_acquire(key);
  if (!lease) lease = co_await pool_.acquire(std::move(key), deadline);
  if (!lease || deadline.is_over()) {
    co_return deadline.explain(asio::error::operation_aborted, HttpErrc::connect_failed,
                               "wait for a connection to " + request.url);
  }
  lease.hold_for(deadline);
  // After a reload the policy may refuse what it let be opened before.
  if (lease.connection && lease.connection->allowed_by != allowed_by) lease.connection.reset();
  const SteadyTime begun = timers_.now();
  for (bool reused = lease.connection != nullptr;; reused = false) {
    if (!lease.connection) {
      CONCERTO_CO_TRY(lease.connection, co_await connector_.open(url, proxy, allowed_by, deadline));
    }
    write_request_head(lease.connection->scratch(), request, url, url.is_https ? nullptr : proxy);
    ExchangeResult done = co_await exchange(*lease.connection, request, options_, deadline);
    if (done.response && done.reusable) lease.keep();
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
  const TargetPolicy* policy = impl_->policy();
  return policy ? policy->check(place) : ok();
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
