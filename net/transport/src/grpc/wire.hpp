#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/transport/grpc_metadata.hpp>
#include <concerto/transport/grpc_status.hpp>

#include "http2/header_block.hpp"

/// The text forms of gRPC over HTTP/2 (gRPC's PROTOCOL-HTTP2).
namespace concerto::net::detail {

/// `grpc-timeout`: at most 8 digits and a unit, rounded up.
class TimeoutText {
 public:
  explicit TimeoutText(std::chrono::nanoseconds timeout) noexcept;
  std::string_view view() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, 12> text_;
  std::size_t size_;
};

std::optional<std::chrono::nanoseconds> parse_timeout(std::string_view text) noexcept;

/// `grpc-message`. Blanks at either end are encoded too: HTTP allows none there in a field. A
/// broken escape is left as it is.
std::string encode_status_message(std::string_view text);
std::string decode_status_message(std::string_view text);

/// `grpc-status`; anything that is not a known number without leading zeros is unknown.
GrpcCode parse_code(std::string_view text) noexcept;
std::string_view code_digits(GrpcCode code) noexcept;

/// The status of a response without `grpc-status`.
GrpcCode code_of_http_status(std::string_view status) noexcept;
GrpcCode code_of_http2_error(std::uint32_t error) noexcept;

/// `application/grpc`, also with a suffix: `application/grpc+proto`.
bool is_grpc_content_type(std::string_view type) noexcept;

bool is_binary(std::string_view name) noexcept;

/// Adds a received field, decoding a binary one. False if it is not valid.
bool add_received(GrpcMetadata& metadata, std::string_view name, std::string_view value);

/// The fields of caller's metadata on their way out. Holds the encoded values, so it must live
/// as long as the block.
class MetadataFields {
 public:
  /// False, and why, if a field cannot be sent.
  bool add_to(http2::HeaderBlock& block, const GrpcMetadata& metadata, std::string& why);

 private:
  std::vector<std::string> encoded_;
};

/// Length-prefix of a message.
std::array<char, 5> message_head(std::size_t bytes) noexcept;

}  // namespace concerto::net::detail
