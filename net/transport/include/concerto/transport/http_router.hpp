#pragma once

#include <functional>
#include <optional>
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

/// What is said of a request whose header has come and whose body has not.
struct HeadVerdict {
  /// The sender may send such a request, so it is no stranger (BufferBudget).
  bool is_known = false;
  /// The answer to a request whose body is not wanted.
  std::optional<HttpResponse> refusal{};
};

/// Looks at a request whose body has come in part at most. It must not use the request after it has
/// suspended. If it refuses nothing, the request comes to its handler, which has to check it whole.
using HttpHeadCheck = std::function<Task<HeadVerdict>(const HttpRequest&)>;

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
  /// `check` looks at requests of the route before their bodies come (check_head).
  void add(std::string_view method, std::string_view path, RouteEffect effect, HttpHandler handler,
           HttpHeadCheck check = nullptr);
  /// Serves every path that starts with `prefix`; the handler finds the rest in request.path.
  void add_prefix(std::string_view method, std::string_view prefix, HttpHandler handler);
  void add_prefix(std::string_view method, std::string_view prefix, RouteEffect effect,
                  HttpHandler handler, HttpHeadCheck check = nullptr);

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

  /// The check of the request's route. Requests without a route, or whose route has none, are a
  /// stranger's.
  Task<HeadVerdict> check_head(const HttpRequest& request) const;

  /// A handler that refers to this router.
  HttpHandler handler() const {
    return [this](HttpRequest request) { return route(std::move(request)); };
  }

 private:
  struct Entry {
    std::string method;
    RouteEffect effect;
    HttpHandler handler;
    HttpHeadCheck check;

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
