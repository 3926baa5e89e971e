// The text forms and the framing of gRPC, as a peer may send them. What is decoded encodes to
// something that decodes to the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <concerto/base/base64.hpp>

#include "grpc/message_reader.hpp"
#include "grpc/wire.hpp"

using namespace concerto;
using namespace concerto::net;
using namespace concerto::net::detail;

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string decoded = percent_decode(text);
  require(percent_decode(percent_encode(decoded)) == decoded);
  if (const auto bytes = base64_decode(text))
    require(base64_decode(base64_encode(*bytes)) == bytes);
  if (const auto timeout = parse_timeout(text)) {
    const auto again = parse_timeout(TimeoutText(*timeout).view());
    require(again && *again >= *timeout);
  }
  require(parse_code(text) <= GrpcCode::unauthenticated);
  GrpcMetadata metadata;
  add_received(metadata, "x-bin", text);

  constexpr std::size_t limit = 4096;
  MessageReader whole(limit);
  MessageReader pieces(limit);
  const auto end = whole.feed(text);
  for (const char& byte : text) pieces.feed({&byte, 1});
  require(pieces.feed({}) == end);
  require(whole.message_count() == pieces.message_count());
  while (whole.has_message()) {
    const std::string message = whole.pop();
    require(message.size() <= limit && message == pieces.pop());
  }
  return 0;
}
