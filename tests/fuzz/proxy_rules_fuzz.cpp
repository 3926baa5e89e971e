// Proxies of the environment. The input has a line each for HTTP_PROXY, HTTPS_PROXY, NO_PROXY and a
// host. Requests to loopback never use a proxy, what is sent to a proxy is legal, and no error has
// a password.

#include <concerto/transport/http_message.hpp>
#include <concerto/transport/http_proxy.hpp>

#include "fuzz_target.hpp"

namespace concerto::fuzz {

void proxy_rules(std::string_view input) {
  using namespace net;
  const std::string_view http = take_line(input);
  const std::string_view https = take_line(input);
  const std::string_view no_proxy = take_line(input);
  const std::string_view host = take_line(input);
  const auto rules = HttpProxyRules::make(http, https, no_proxy);
  if (!rules) {
    const std::string& why = rules.error().detail;
    require(!why.empty() && why.find('@') == std::string::npos);
    return;
  }
  for (const bool is_https : {false, true}) {
    for (const char* loopback : {"localhost", "LocalHost.", "127.0.0.1", "127.1.2.3", "::1"}) {
      require(rules->find(is_https, loopback, "80") == nullptr);
    }
    const auto* const proxy = rules->find(is_https, host, "80");
    if (proxy == nullptr) continue;
    require(!proxy->host.empty() && !proxy->port.empty());
    require(is_legal_header_value(proxy->authorization));
  }
  const auto all_direct = HttpProxyRules::make(http, https, "*");
  require(all_direct.has_value() && all_direct->find(false, host, "80") == nullptr);
}

}  // namespace concerto::fuzz
