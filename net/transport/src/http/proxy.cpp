#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>

#include <concerto/transport/http_error.hpp>
#include <concerto/transport/http_message.hpp>
#include <concerto/transport/http_proxy.hpp>
#include <concerto/transport/url.hpp>

#include "basic_authorization.hpp"

namespace concerto::net {
namespace {

constexpr auto npos = std::string_view::npos;
namespace ip = boost::asio::ip;

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trim(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view environment(const char* upper_name, const char* lower_name) noexcept {
  for (const char* name : {upper_name, lower_name}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return {};
}

std::optional<ip::address> parse_address(std::string_view text) {
  error_code error;
  const auto address = ip::make_address(std::string{text}, error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  }
  return address;
}

template <class Bytes>
bool same_prefix(const Bytes& left, const Bytes& right, unsigned bits) noexcept {
  for (std::size_t i = 0; i < left.size() && bits > 0; ++i) {
    const unsigned here = std::min(bits, 8U);
    const unsigned mask = 0xff00U >> here;
    if (((left[i] ^ right[i]) & mask & 0xffU) != 0) return false;
    bits -= here;
  }
  return true;
}

bool in_range(const ip::address& address, const ip::address& network, unsigned bits) {
  if (address.is_v4() != network.is_v4()) return false;
  if (address.is_v4()) {
    return same_prefix(address.to_v4().to_bytes(), network.to_v4().to_bytes(), bits);
  }
  return same_prefix(address.to_v6().to_bytes(), network.to_v6().to_bytes(), bits);
}

/// Removes `:port`, and the brackets around an IPv6 address, from `entry`. Returns the port.
std::string_view split_port(std::string_view& entry) noexcept {
  if (entry.starts_with('[')) {
    const std::size_t end = std::min(entry.find(']'), entry.size() - 1);
    const std::string_view port = entry.substr(end + 1);
    entry = entry.substr(1, end - 1);
    return port.starts_with(':') ? port.substr(1) : std::string_view{};
  }
  const std::size_t colon = entry.find(':');
  // Several colons are an IPv6 address.
  if (colon == npos || entry.find(':', colon + 1) != npos) return {};
  const std::string_view port = entry.substr(colon + 1);
  entry = entry.substr(0, colon);
  return port;
}

Result<std::optional<HttpProxyRules::Proxy>> parse_proxy(std::string_view text,
                                                         const char* variable) {
  std::optional<HttpProxyRules::Proxy> proxy;
  text = trim(text);
  if (text.empty()) return proxy;
  const std::string url_text =
      text.find("://") == npos ? "http://" + std::string{text} : std::string{text};
  const auto url = parse_url(url_text);
  // The text may contain a password, so the error does not repeat it.
  if (!url)
    return make_error(HttpErrc::proxy_failed, std::string{variable} + " is not an http URL");
  if (url->is_https) {
    return make_error(
        HttpErrc::proxy_failed,
        std::string{variable} + ": a proxy that itself speaks https is not supported");
  }
  proxy.emplace();
  proxy->host = url->host;
  proxy->port = url->port;
  if (!url->userinfo.empty()) proxy->authorization = basic_authorization(url->userinfo);
  return proxy;
}

}  // namespace

Result<HttpProxyRules> HttpProxyRules::make(std::string_view http, std::string_view https,
                                            std::string_view no_proxy) {
  HttpProxyRules rules;
  CONCERTO_TRY(rules.http_, parse_proxy(http, "HTTP_PROXY"));
  CONCERTO_TRY(rules.https_, parse_proxy(https, "HTTPS_PROXY"));
  while (!no_proxy.empty()) {
    const std::size_t end = std::min(no_proxy.find(','), no_proxy.size());
    rules.add_exception(trim(no_proxy.substr(0, end)));
    no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
  }
  return rules;
}

Result<HttpProxyRules> HttpProxyRules::from_environment() {
  return make(environment("HTTP_PROXY", "http_proxy"), environment("HTTPS_PROXY", "https_proxy"),
              environment("NO_PROXY", "no_proxy"));
}

void HttpProxyRules::add_exception(std::string_view entry) {
  if (entry.empty()) return;
  if (entry == "*") {
    bypass_all_ = true;
    return;
  }
  if (const std::size_t slash = entry.find('/'); slash != npos) {
    const auto network = parse_address(entry.substr(0, slash));
    const std::string_view text = entry.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    const bool legal = error == std::errc{} && end == text.data() + text.size();
    if (network && legal) addresses_.push_back({*network, bits, {}});
    return;
  }
  const std::string port{split_port(entry)};
  if (const auto address = parse_address(entry)) {
    addresses_.push_back({*address, address->is_v4() ? 32U : 128U, port});
    return;
  }
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.empty()) return;
  const bool covers_itself = entry.front() != '.';
  domains_.push_back({(covers_itself ? "." : "") + lower(entry), port, covers_itself});
}

bool HttpProxyRules::bypasses(std::string_view host_text, std::string_view port) const {
  std::string host = lower(host_text);
  if (host.ends_with('.')) host.pop_back();
  if (host == "localhost") return true;
  const auto address = parse_address(host);
  if (address && address->is_loopback()) return true;
  if (bypass_all_) return true;
  const auto fits_port = [port](const std::string& wanted) {
    return wanted.empty() || wanted == port;
  };
  if (address) {
    return std::any_of(addresses_.begin(), addresses_.end(), [&](const AddressRule& rule) {
      return fits_port(rule.port) && in_range(*address, rule.address, rule.prefix_bits);
    });
  }
  return std::any_of(domains_.begin(), domains_.end(), [&](const DomainRule& rule) {
    const bool matches = host.ends_with(rule.suffix) ||
                         (rule.covers_itself && host == std::string_view{rule.suffix}.substr(1));
    return matches && fits_port(rule.port);
  });
}

const HttpProxyRules::Proxy* HttpProxyRules::find(bool is_https, std::string_view host,
                                                  std::string_view port) const {
  const auto& proxy = is_https ? https_ : http_;
  return proxy && !bypasses(host, port) ? &*proxy : nullptr;
}

}  // namespace concerto::net
