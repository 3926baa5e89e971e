// The text forms of gRPC's fields: grpc-message, grpc-timeout, grpc-status, binary metadata.

#include <concerto/base/base64.hpp>

#include "fuzz_target.hpp"
#include "grpc/wire.hpp"

namespace concerto::fuzz {

void grpc_texts(std::string_view input) {
  using namespace net;
  using namespace net::detail;
  require(decode_status_message(encode_status_message(input)) == input);
  const std::string decoded = decode_status_message(input);
  require(decode_status_message(encode_status_message(decoded)) == decoded);
  require(base64_decode(base64_encode(input)) == std::string{input});
  if (const auto bytes = base64_decode(input))
    require(base64_decode(base64_encode(*bytes)) == bytes);
  if (const auto timeout = parse_timeout(input)) {
    require(timeout->count() >= 0);
    const auto again = parse_timeout(TimeoutText(*timeout).view());
    require(again && *again >= *timeout);
  }
  const GrpcCode code = parse_code(input);
  require(code <= GrpcCode::unauthenticated && parse_code(code_digits(code)) == code);
  require(code == GrpcCode::unknown || code_digits(code) == input);
  GrpcMetadata metadata;
  // Values that were joined become several values.
  if (add_received(metadata, "x-bin", input)) {
    require(metadata.size() == 1U + static_cast<std::size_t>(std::ranges::count(input, ',')));
  }
}

}  // namespace concerto::fuzz
