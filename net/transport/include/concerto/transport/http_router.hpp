#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {

/// Answers one request. It may run longer than its connection: a reply that nobody waits for is
/// dropped. It is cancelled only when its server's time to drain is over.
using HttpHandler = std::function<Task<HttpResponse>(HttpRequest)>;

/// Whether a request changes what the server keeps.
enum class RouteEffect { reads, changes };

/// Finds the handler of a request by method and path: an exact path first, then the longest
/// prefix. HEAD is answered where a GET only reads. Everything else is 404 `404 page not found` as
/// text/plain, a known path with another method too (protocol page 02, section 1).
///
/// Fill it before the server starts; afterwards every shard may read it. It must outlive the
/// servers that use it.
class Router {
 public:
  static constexpr std::string_view any_method = "*";

  Router();

  /// A GET reads and every other method changes, unless `effect` says otherwise.
  void add(std::string_view method, std::string_view path, HttpHandler handler);
  void add(std::string_view method, std::string_view path, RouteEffect effect, HttpHandler handler);
  /// Serves every path that starts with `prefix`; the handler finds the rest in request.path.
  void add_prefix(std::string_view method, std::string_view prefix, HttpHandler handler);

  /// What answers when nothing else does: the 404, unless it was replaced.
  const HttpHandler& fallback() const noexcept { return fallback_; }
  void set_fallback(HttpHandler handler) { fallback_ = std::move(handler); }

  /// Asked before every request, with the effect of the handler that it goes to; what it answers
  /// goes out instead. Nothing: the request goes on.
  using Guard = std::function<std::optional<HttpResponse>(const HttpRequest&, RouteEffect)>;
  void set_guard(Guard guard) { guard_ = std::move(guard); }

  struct Route {
    std::string method;
    std::string path;
    bool is_prefix = false;
  };
  /// Everything that has a handler, in no order.
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
  Guard guard_;
};

}  // namespace concerto::net
