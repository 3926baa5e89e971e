#include <algorithm>

#include <concerto/engine/request_context.hpp>

namespace concerto {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

constexpr std::string_view hex_digits = "0123456789abcdef";

std::string ipv4_text(const std::uint8_t* bytes) {
  std::string text = std::to_string(bytes[0]);
  for (int i = 1; i < 4; ++i) text += "." + std::to_string(bytes[i]);
  return text;
}

std::string hex(unsigned group) {
  std::string text;
  for (unsigned shift = 16; shift > 0;) {
    shift -= 4;
    const unsigned digit = group >> shift & 0xfU;
    if (digit != 0 || !text.empty() || shift == 0) text += hex_digits[digit];
  }
  return text;
}

/// As RFC 5952 wants it: `::` in place of the first of the longest runs of zeros.
std::string ipv6_text(const std::array<std::uint8_t, 16>& bytes) {
  std::array<unsigned, 8> groups{};
  std::size_t run_at = groups.size(), run_size = 1;  // A single zero is written out.
  for (std::size_t i = 0, zeros = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<unsigned>(bytes[2 * i]) << 8U | bytes[2 * i + 1];
    zeros = groups[i] == 0 ? zeros + 1 : 0;
    if (zeros <= run_size) continue;
    run_size = zeros;
    run_at = i + 1 - zeros;
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == run_at) {
      text += "::";
      i += run_size - 1;
      continue;
    }
    if (!text.empty() && !text.ends_with(':')) text += ':';
    text += hex(groups[i]);
  }
  return text;
}

}  // namespace

std::string PeerAddress::str() const {
  if (!is_set()) return {};
  const std::string end = port == 0 ? std::string{} : ":" + std::to_string(port);
  if (std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin())) {
    return ipv4_text(&bytes[mapped_prefix.size()]) + end;
  }
  std::string address = ipv6_text(bytes);
  if (scope != 0) address += "%" + std::to_string(scope);
  return port == 0 ? address : "[" + address + "]" + end;
}

std::string RequestContext::told() const {
  std::string text = "asked by ";
  if (caller.is_known()) text.append(caller.name());
  if (caller.is_known() && peer.is_set()) text.append(" at ");
  if (peer.is_set()) text += peer.str();
  if (!caller.is_known() && !peer.is_set()) text += "this process";
  if (trace.is_set()) text += ", trace " + trace.trace.str();
  return text;
}

}  // namespace concerto
