#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace concerto::net {

/// Header fields in the order in which they came. Names compare without case.
///
/// All fields share one buffer, so that a message costs two allocations and not two per field.
/// Views stay valid until the object changes.
class HttpHeaders {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  std::size_t size() const noexcept { return slots_.size(); }
  bool empty() const noexcept { return slots_.empty(); }
  Field operator[](std::size_t index) const noexcept;

  /// The first field with this name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }

  /// Appends a field, also when the name is there already.
  void add(std::string_view name, std::string_view value);
  /// Appends a blank and `more` to the value of the last field, which there must be.
  void extend_last(std::string_view more);
  /// Replaces every field with this name by one.
  void set(std::string_view name, std::string_view value);
  void erase(std::string_view name);
  void reserve(std::size_t fields, std::size_t bytes);

 private:
  struct Slot {
    std::uint32_t begin;
    std::uint32_t name_bytes;
    std::uint32_t value_bytes;
  };

  std::string text_;
  std::vector<Slot> slots_;
};

/// Whether `name` is a header name that RFC 9110 allows.
bool is_legal_header_name(std::string_view name) noexcept;
/// Whether `value` may be sent: no control characters but tabs.
bool is_legal_header_value(std::string_view value) noexcept;
/// Whether `text` may be the value of a Host field: a name or an address, and perhaps a port;
/// also nothing at all.
bool is_legal_host_field(std::string_view text) noexcept;
/// `text` without blanks and tabs at its ends.
std::string_view trim_blanks(std::string_view text) noexcept;
/// ASCII comparison without case.
bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

/// A request as a handler sees it.
struct HttpRequest {
  using Query = std::vector<std::pair<std::string, std::string>>;

  std::string method;  ///< upper case as sent: GET, POST, ...
  /// Without query; starts with a slash (`*` for OPTIONS *, an authority for CONNECT). Decoded,
  /// except `%2F` and `%25`: an encoded slash separates nothing.
  std::string path;
  Query query;  ///< decoded, in order; pairs that cannot be decoded are left out
  HttpHeaders headers;
  std::string body;
  boost::asio::ip::tcp::endpoint peer;

  /// The first query parameter with this name; nothing when it is absent.
  std::optional<std::string_view> query_value(std::string_view name) const noexcept;
};

/// An answer. The server adds Content-Length, Date and Connection.
struct HttpResponse {
  unsigned status = 200;
  std::string content_type;  ///< not sent when empty
  std::string body;
  HttpHeaders headers;  ///< more fields, e.g. Retry-After; names and values must be legal
  bool close = false;   ///< close the connection after this answer
};

inline constexpr std::string_view json_content_type = "application/json; charset=utf-8";
inline constexpr std::string_view text_content_type = "text/plain";

HttpResponse json_response(unsigned status, std::string body);
HttpResponse text_response(unsigned status, std::string body);
/// `{"message":"<message>"}`
HttpResponse error_response(unsigned status, std::string_view message);

}  // namespace concerto::net
