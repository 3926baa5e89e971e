#include <algorithm>
#include <utility>

#include <concerto/transport/http_router.hpp>

namespace concerto::net {
namespace {

Task<HttpResponse> not_found(HttpRequest /*request*/) {
  co_return text_response(404, "404 page not found");
}

Task<HeadVerdict> of_stranger() {
  co_return HeadVerdict{};
}

RouteEffect usual_effect(std::string_view method) noexcept {
  return method == "GET" || method == Router::any_method ? RouteEffect::reads
                                                         : RouteEffect::changes;
}

}  // namespace

Router::Router() : fallback_(not_found) {}

void Router::add(std::string_view method, std::string_view path, HttpHandler handler) {
  add(method, path, usual_effect(method), std::move(handler));
}

void Router::add(std::string_view method, std::string_view path, RouteEffect effect,
                 HttpHandler handler, HttpHeadCheck check) {
  exact_[std::string{path}].push_back(
      {std::string{method}, effect, std::move(handler), std::move(check)});
}

void Router::add_prefix(std::string_view method, std::string_view prefix, HttpHandler handler) {
  add_prefix(method, prefix, usual_effect(method), std::move(handler));
}

void Router::add_prefix(std::string_view method, std::string_view prefix, RouteEffect effect,
                        HttpHandler handler, HttpHeadCheck check) {
  const auto longer = [](const PrefixEntry& entry, std::size_t size) {
    return entry.prefix.size() >= size;
  };
  const auto place = std::lower_bound(prefixes_.begin(), prefixes_.end(), prefix.size(), longer);
  prefixes_.insert(place, {std::string{prefix},
                           {std::string{method}, effect, std::move(handler), std::move(check)}});
}

bool Router::Entry::matches(const HttpRequest& request) const {
  if (method == any_method || method == request.method) return true;
  return request.method == "HEAD" && method == "GET" && effect == RouteEffect::reads;
}

const Router::Entry* Router::find(const HttpRequest& request) const {
  if (const auto found = exact_.find(request.path); found != exact_.end()) {
    for (const Entry& entry : found->second) {
      if (entry.matches(request)) return &entry;
    }
    return nullptr;
  }
  for (const auto& [prefix, entry] : prefixes_) {
    if (entry.matches(request) && request.path.starts_with(prefix)) return &entry;
  }
  return nullptr;
}

std::vector<Router::Route> Router::routes() const {
  std::vector<Route> routes;
  for (const auto& [path, entries] : exact_) {
    for (const Entry& entry : entries) routes.push_back({entry.method, path, false});
  }
  for (const auto& [prefix, entry] : prefixes_) routes.push_back({entry.method, prefix, true});
  return routes;
}

Task<HttpResponse> Router::route(HttpRequest request) const {
  const Entry* entry = find(request);
  return (entry ? entry->handler : fallback_)(std::move(request));
}

Task<HeadVerdict> Router::check_head(const HttpRequest& request) const {
  const Entry* entry = find(request);
  return entry && entry->check ? entry->check(request) : of_stranger();
}

}  // namespace concerto::net
