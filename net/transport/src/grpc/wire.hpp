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

/// `grpc-message`. Blanks at both ends are encoded too, because HTTP drops blanks at the ends of a
/// field. Decoding leaves a broken escape as it is.
std::string encode_status_message(std::string_view text);
std::string decode_status_message(std::string_view text);

/// `grpc-status`. Everything but a known number without leading zeros is `unknown`.
GrpcCode parse_code(std::string_view text) noexcept;
std::string_view code_digits(GrpcCode code) noexcept;

/// The status of a response without `grpc-status`.
GrpcCode code_of_http_status(std::string_view status) noexcept;
GrpcCode code_of_http2_error(std::uint32_t error) noexcept;

/// `application/grpc`, also with a suffix: `application/grpc+proto`.
bool is_grpc_content_type(std::string_view type) noexcept;

bool is_binary(std::string_view name) noexcept;

/// Adds a received field; a binary one is decoded. False if it is not valid base64.
bool add_received(GrpcMetadata& metadata, std::string_view name, std::string_view value);

/// Turns a caller's metadata into header fields. Holds the encoded values that the block refers to,
/// so it must live as long as the block.
class MetadataFields {
 public:
  /// False if a field cannot be sent; `why` then says the reason.
  bool add_to(http2::HeaderBlock& block, const GrpcMetadata& metadata, std::string& why);

 private:
  std::vector<std::string> encoded_;
};

/// The prefix of a message: a flag and the length.
std::array<char, 5> message_head(std::size_t bytes) noexcept;

}  // namespace concerto::net::detail
