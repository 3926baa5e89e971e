#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/protocol/gate.hpp>
#include <concerto/transport/http_router.hpp>

namespace concerto::net {

/// Answers a request that the gate has let in.
using RouteHandler = std::function<Task<HttpResponse>(HttpRequest, RequestContext)>;

/// The answer to a request that the gate refuses.
using RefusalAnswer = HttpResponse (*)(const Refusal&);

/// The routes of the HTTP front end, with one gate before all of them. For each request the router
/// finds the route, makes the request's context and asks the gate; only then the route's handler is
/// called. A request without a route passes the gate too, as one that reads.
///
/// Add all routes before the server starts. After that, one shard uses the router. It must outlive
/// the servers that use it.
class CONCERTO_EXPORT GatedRouter {
 public:
  /// The gate and the clock must outlive the router.
  GatedRouter(const Gate& gate, const Clock& clock);
  GatedRouter(const GatedRouter&) = delete;
  GatedRouter& operator=(const GatedRouter&) = delete;

  /// As Router::add and Router::add_prefix. HEAD is answered if the path's GET only reads.
  /// `refused` is for a route that has errors of its own form; null: the usual form.
  void add(std::string_view method, std::string_view path, const RouteNeeds& needs,
           RouteHandler handler, RefusalAnswer refused = nullptr);
  void add_prefix(std::string_view method, std::string_view prefix, const RouteNeeds& needs,
                  RouteHandler handler);
  /// As `add`, for a route that does nothing but lead to the one with these needs: only refused
  /// requests have a record.
  void add_redirect(std::string_view method, std::string_view path, const RouteNeeds& needs,
                    RouteHandler handler);

  const Gate& gate() const noexcept { return gate_; }

  /// The handler of requests without a route. It answers 404 unless it was replaced.
  const RouteHandler& fallback() const noexcept { return fallback_; }
  void set_fallback(RouteHandler handler);

  /// Limits how long a client waits for a result, beside the client's own `Prefer: wait`. 0: no
  /// limit. Holds for requests that come later.
  void set_wait_max(std::chrono::seconds wait_max) noexcept { wait_max_ = wait_max; }

  /// All routes, in no particular order.
  std::vector<Router::Route> routes() const { return router_.routes(); }

  Task<HttpResponse> route(HttpRequest request) const { return router_.route(std::move(request)); }
  /// Refuses requests of unknown senders before their bodies come (HttpServerOptions::check_head).
  /// It refers to this router.
  HttpHeadCheck head_check() const {
    return [this](const HttpRequest& request) { return router_.check_head(request); };
  }
  /// A handler that refers to this router.
  HttpHandler handler() const { return router_.handler(); }

 private:
  /// A path of a route that operates.
  struct Operated {
    std::string path;
    bool is_prefix;
    RouteNeeds needs;
  };

  HttpHandler gated(const RouteNeeds& needs, RouteHandler handler, RefusalAnswer refused = nullptr,
                    bool begins = true) const;
  HttpHeadCheck head_check_of(const RouteNeeds& needs, RefusalAnswer refused = nullptr) const;
  Task<HttpResponse> refuse(const RouteNeeds& needs, const HttpRequest& request,
                            const RequestContext& asker, const Refusal& refusal,
                            RefusalAnswer refused) const;
  bool is_recorded(const RouteNeeds& needs) const noexcept {
    return needs.deed == RouteDeed::operates && gate_.audit() != nullptr;
  }
  HttpHandler unrouted() const;
  Task<HttpResponse> record_miss(const RouteNeeds& needs, HttpRequest request,
                                 const HttpHandler& answer) const;
  const RouteNeeds* operated_by(std::string_view path) const noexcept;
  RequestContext context(const HttpRequest& request) const;

  const Gate& gate_;
  const Clock& clock_;
  Router router_;
  RouteHandler fallback_;
  std::vector<Operated> operated_;
  std::chrono::seconds wait_max_{0};
};

}  // namespace concerto::net
