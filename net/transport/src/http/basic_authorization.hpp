#pragma once

#include <string>
#include <string_view>

namespace concerto::net {

/// `Basic <base64>`, the value of Authorization and Proxy-Authorization. `userinfo` is the
/// percent-encoded `user:password` of a URL. Empty if `userinfo` cannot be decoded.
std::string basic_authorization(std::string_view userinfo);

}  // namespace concerto::net
