#include "basic_authorization.hpp"

#include <concerto/base/base64.hpp>
#include <concerto/transport/percent.hpp>

namespace concerto::net {

std::string basic_authorization(std::string_view userinfo) {
  auto plain = percent_decode(userinfo, false);
  if (!plain) return {};
  if (userinfo.find(':') == std::string_view::npos) *plain += ':';
  return "Basic " + base64_encode(*plain);
}

}  // namespace concerto::net
