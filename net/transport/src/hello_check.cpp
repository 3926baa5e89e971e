#include "hello_check.hpp"

#include <algorithm>

namespace concerto::net {
namespace {

/// Real ones have 2 KiB.
constexpr std::size_t hello_bytes_max = 16u << 10;
constexpr unsigned char handshake_record = 22;
constexpr unsigned char client_hello = 1;

/// The start of a request without TLS. OpenSSL refuses it too, and says what it is.
bool is_letter(unsigned char byte) noexcept {
  return byte >= 'A' && byte <= 'Z';
}

}  // namespace

template <std::size_t N>
bool HelloCheck::Header<N>::take(std::string_view& from) noexcept {
  const std::size_t taken = std::min(N - count, from.size());
  std::copy_n(from.begin(), taken, bytes.begin() + count);
  count += taken;
  from.remove_prefix(taken);
  return count == N;
}

std::string HelloCheck::take(std::string_view wire) {
  std::string fault;
  while (!wire.empty() && fault.empty()) {
    if (record_bytes_ == 0) {
      if (record_.take(wire)) fault = begin_record();
      continue;
    }
    const std::string_view fragment = wire.substr(0, record_bytes_);
    wire.remove_prefix(fragment.size());
    record_bytes_ -= fragment.size();
    if (record_.bytes[0] == handshake_record) fault = take_messages(fragment);
  }
  return fault;
}

/// The first record has to have the type and the length of its message, as with every real client.
std::string HelloCheck::begin_record() {
  const unsigned char type = record_.bytes[0];
  record_bytes_ = record_.bytes[3] * 256U + record_.bytes[4];
  record_.count = 0;
  if (!is_first_record_) return {};
  is_first_record_ = false;
  if (is_letter(type) || (type == handshake_record && record_bytes_ >= message_.bytes.size())) {
    return {};
  }
  return "the first record does not begin a handshake";
}

std::string HelloCheck::take_messages(std::string_view fragment) {
  while (!fragment.empty()) {
    const std::size_t skipped = std::min(message_bytes_, fragment.size());
    fragment.remove_prefix(skipped);
    message_bytes_ -= skipped;
    if (fragment.empty() || !message_.take(fragment)) break;
    const auto& [type, high, middle, low] = message_.bytes;
    message_.count = 0;
    message_bytes_ = (high * 256U + middle) * 256U + low;
    if (type == client_hello && message_bytes_ > hello_bytes_max) {
      return "a ClientHello of " + std::to_string(message_bytes_) + " bytes";
    }
  }
  return {};
}

}  // namespace concerto::net
