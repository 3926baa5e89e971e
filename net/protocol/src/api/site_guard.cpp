#include <algorithm>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include <concerto/protocol/site_guard.hpp>

namespace concerto::net {
namespace {

constexpr auto npos = std::string_view::npos;

bool ends_with_ignoring_case(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() &&
         equals_ignoring_case(text.substr(text.size() - end.size()), end);
}

/// The name in `host[:port]`, without the dot at the end of an absolute name.
std::string_view name_of(std::string_view host) noexcept {
  std::string_view name =
      host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  if (name.size() > 1 && name.ends_with('.')) name.remove_suffix(1);
  return name;
}

/// `host[:port]` without the default ports of http and https.
std::string_view without_usual_port(std::string_view host) noexcept {
  for (const std::string_view port : {":80", ":443"}) {
    if (host.ends_with(port)) return host.substr(0, host.size() - port.size());
  }
  return host;
}

bool is_address(std::string_view name) {
  if (name.starts_with('[')) return true;
  error_code no_address;
  boost::asio::ip::make_address_v4(name, no_address);
  return !no_address;
}

bool is_loopback_name(std::string_view name) noexcept {
  return equals_ignoring_case(name, "localhost") || ends_with_ignoring_case(name, ".localhost");
}

/// Host and port of a URL. Empty if the text is not a URL, such as the Origin `null`, or if it
/// names a user, which browsers do not send there.
std::string_view authority_of(std::string_view url) noexcept {
  const std::size_t scheme = url.find("://");
  if (scheme == npos) return {};
  const std::string_view rest = url.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  return authority.find('@') == npos ? authority : std::string_view{};
}

bool has_browsers_marks(const HttpHeaders& headers) noexcept {
  if (headers.contains("Origin") || headers.contains("Sec-Fetch-Site")) return true;
  const auto agent = headers.find("User-Agent");
  return agent && agent->starts_with("Mozilla/");
}

/// Whether a page may send this to another site without asking that site: by an image or a link, or
/// by a form, which cannot have this type of content.
bool is_simple(const HttpRequest& request) noexcept {
  if (request.method == "GET") return true;
  const std::string_view type = request.headers.find("Content-Type").value_or(std::string_view{});
  const std::string_view name = trim_blanks(type.substr(0, type.find(';')));
  return request.method == "POST" && !equals_ignoring_case(name, "application/json");
}

/// `b.org`, `.b.org`, `*`, or an address, which is always allowed.
bool is_host_name(std::string_view name) {
  if (name == "*") return true;
  if (name.find('\0') != npos) return false;  // A NUL would end the address.
  if (name.starts_with('[')) {
    error_code no_address;
    boost::asio::ip::make_address_v6(std::string{name.substr(1, name.size() - 2)}, no_address);
    return name.ends_with(']') && !no_address;
  }
  const std::string_view labels = name.starts_with('.') ? name.substr(1) : name;
  const bool has_empty_label = labels.starts_with('.') || labels.find("..") != npos;
  return !labels.empty() && !has_empty_label && std::ranges::all_of(labels, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

}  // namespace

std::vector<std::string> host_list(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view name = trim_blanks(text.substr(0, comma));
    if (!name.empty()) names.emplace_back(name);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

Result<> check_host_list(std::string_view text) {
  for (const std::string& name : host_list(text)) {
    if (is_host_name(name)) continue;
    return make_error(Errc::invalid_request,
                      "expected names without scheme and port, as dtm.b.org, .c.org for all below "
                      "it, or *, found '" +
                          name + "'");
  }
  return ok();
}

SiteGuard::SiteGuard(SiteGuardOptions options) : options_(std::move(options)) {}

bool SiteGuard::is_listed(std::string_view name) const {
  return std::any_of(options_.allowed_hosts.begin(), options_.allowed_hosts.end(),
                     [name](const std::string& allowed) {
                       return allowed.starts_with('.') ? ends_with_ignoring_case(name, allowed)
                                                       : equals_ignoring_case(name, allowed);
                     });
}

bool SiteGuard::knows(std::string_view host) const {
  const std::string_view name = name_of(host);
  if (name.empty() || is_address(name) || is_loopback_name(name)) return true;
  const std::string_view own = options_.own_name;
  return equals_ignoring_case(name, own) ||
         equals_ignoring_case(name, own.substr(0, own.find('.'))) || is_listed(name) ||
         is_listed("*");
}

bool SiteGuard::is_of_site(std::string_view origin, std::string_view host) const {
  const std::string_view authority = authority_of(origin);
  if (authority.empty()) return false;
  if (equals_ignoring_case(without_usual_port(authority), without_usual_port(host))) return true;
  // Another program on the same machine.
  const bool has_port = host.find(':', name_of(host).size()) != npos;
  if (has_port && equals_ignoring_case(name_of(authority), name_of(host))) return false;
  // A proxy may have replaced Host or dropped its port; then the name of the page's host has to be
  // listed.
  return is_listed(name_of(authority));
}

bool SiteGuard::is_foreign(const HttpRequest& request, std::string_view host) const {
  bool names_this_site = false;
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const auto [name, value] = request.headers[i];
    if (equals_ignoring_case(name, "Sec-Fetch-Site")) {
      if (value != "same-origin" && value != "none") return true;
    } else if (equals_ignoring_case(name, "Origin") || equals_ignoring_case(name, "Referer")) {
      if (!is_of_site(value, host)) return true;
    } else {
      continue;
    }
    names_this_site = true;
  }
  return !names_this_site && is_simple(request);
}

std::optional<Refusal> SiteGuard::refuse(const RouteNeeds& needs,
                                         const HttpRequest& request) const {
  using enum Refusal::Kind;
  const HttpHeaders& headers = request.headers;
  const bool by_browser = has_browsers_marks(headers);
  const std::string_view host = headers.find("Host").value_or(std::string_view{});
  if ((by_browser || !options_.allowed_hosts.empty()) && !knows(host)) {
    return Refusal{forbidden, "Host " + quoted(host) +
                                  " is no name of this server; AllowedHosts takes more of them"};
  }
  if (needs.is_change() && request.method == "GET" && !options_.get_may_change) {
    return Refusal{wrong_method, "GET changes nothing here (GetMayChange); use POST"};
  }
  if (needs.browser == RouteBrowser::any_page || !by_browser || !is_foreign(request, host)) {
    return std::nullopt;
  }
  return Refusal{forbidden,
                 "a browser sends this for a page of another site, or does not say that it "
                 "comes from one of this server; such a request changes nothing"};
}

}  // namespace concerto::net
