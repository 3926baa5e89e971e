#pragma once

#include <string>
#include <string_view>

namespace concerto::net::test {

/// A header of the PROXY protocol, version 2.
inline std::string proxy_header(unsigned char command, unsigned char family,
                                std::string_view rest) {
  std::string header{"\r\n\r\n\0\r\nQUIT\n", 12};
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(rest.size() >> 8U);
  header += static_cast<char>(rest.size() & 0xffU);
  return header.append(rest);
}

/// From 203.0.113.9:51234 to 10.0.0.1:443, with some TLVs.
inline std::string proxy_header_of_client(std::string_view tlvs = {}) {
  return proxy_header(
      0x21, 0x11, std::string{"\xcb\x00\x71\x09\x0a\x00\x00\x01\xc8\x22\x01\xbb", 12}.append(tlvs));
}

}  // namespace concerto::net::test
