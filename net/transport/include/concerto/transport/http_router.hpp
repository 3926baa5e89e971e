#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// Answers one request. A handler may run longer than its connection; the answer is then dropped.
/// It is cancelled only when the time for the server's drain is over.
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest)>;

/// Whether a request changes data of the server.
enum class RouteEffect { reads, changes };

/// Finds the handler of a request by method and path: an exact path first, then the longest prefix.
/// HEAD is answered if the path's GET only reads. Every other request gets 404 with the text/plain
/// body `404 page not found`, also a known path with another method (protocol page 02, section 1).
///
/// Add all routes before the server starts; after that, every shard may read the router. It must
/// outlive the servers that use it.
class CONCERTO_EXPORT Router {
 public:
  static constexpr std::string_view any_method = "*";

  Router();

  /// Adds a handler. A GET counts as a read and every other method as a change, unless `effect`
  /// says otherwise.
  void add(std::string_view method, std::string_view path, HttpHandler handler);
  void add(std::string_view method, std::string_view path, RouteEffect effect, HttpHandler handler);
  /// Serves every path that starts with `prefix`; the handler finds the rest in request.path.
  void add_prefix(std::string_view method, std::string_view prefix, HttpHandler handler);
  void add_prefix(std::string_view method, std::string_view prefix, RouteEffect effect,
                  HttpHandler handler);

  /// The handler of requests without a route. It answers 404 unless it was replaced.
  const HttpHandler& fallback() const noexcept { return fallback_; }
  void set_fallback(HttpHandler handler) { fallback_ = std::move(handler); }

  struct Route {
    std::string method;
    std::string path;
    bool is_prefix = false;
  };
  /// All routes, in no particular order.
  std::vector<Route> routes() const;

  Task<HttpResponse> route(HttpRequest request) const;

  /// A handler that refers to this router.
  HttpHandler handler() const {
    return [this](HttpRequest request) { return route(std::move(request)); };
  }

 private:
  struct Entry {
    std::string method;
    RouteEffect effect;
    HttpHandler handler;

    bool matches(const HttpRequest& request) const;
  };
  struct PrefixEntry {
    std::string prefix;
    Entry entry;
  };

  const Entry* find(const HttpRequest& request) const;

  std::unordered_map<std::string, std::vector<Entry>> exact_;
  std::vector<PrefixEntry> prefixes_;  // longest first
  HttpHandler fallback_;
};

}  // namespace concerto::net
