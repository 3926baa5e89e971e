#include "basic_authorization.hpp"

#include <boost/beast/core/detail/base64.hpp>

#include "percent.hpp"

namespace concerto::net {

std::string basic_authorization(std::string_view userinfo) {
  namespace base64 = boost::beast::detail::base64;
  auto plain = percent_decode(userinfo, false);
  if (!plain) return {};
  if (userinfo.find(':') == std::string_view::npos) *plain += ':';
  std::string out = "Basic ";
  const std::size_t prefix = out.size();
  out.resize(prefix + base64::encoded_size(plain->size()));
  out.resize(prefix + base64::encode(out.data() + prefix, plain->data(), plain->size()));
  return out;
}

}  // namespace concerto::net
