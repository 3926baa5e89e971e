#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include <concerto/base/export.hpp>

namespace concerto::net {

struct PeerCertificate;

/// Header fields in the order of their arrival. Names are compared without case.
///
/// All fields share one buffer, so that a message takes two allocations and not two for each field.
/// Views stay valid until the object changes.
class CONCERTO_EXPORT HttpHeaders {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  std::size_t size() const noexcept { return slots_.size(); }
  bool empty() const noexcept { return slots_.empty(); }
  Field operator[](std::size_t index) const noexcept {
    const Slot& slot = slots_[index];
    const char* const name = text_.data() + slot.begin;
    return {{name, slot.name_bytes}, {name + slot.name_bytes, slot.value_bytes}};
  }

  /// The first field with this name.
  std::optional<std::string_view> find(std::string_view name) const noexcept;
  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }

  /// Appends a field, even if there is a field with this name already.
  void add(std::string_view name, std::string_view value);
  /// Appends a blank and `more` to the value of the last field. There must be a field.
  void extend_last(std::string_view more);
  /// Replaces all fields with this name by one field.
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
CONCERTO_EXPORT bool is_legal_header_name(std::string_view name) noexcept;
/// Whether `value` may be sent: it has no control characters except tabs.
CONCERTO_EXPORT bool is_legal_header_value(std::string_view value) noexcept;
/// Whether `text` may be the value of a Host field: a name or an address, with or without a port,
/// or an empty text.
CONCERTO_EXPORT bool is_legal_host_field(std::string_view text) noexcept;
/// `text` without blanks and tabs at its ends.
CONCERTO_EXPORT std::string_view trim_blanks(std::string_view text) noexcept;
/// ASCII comparison without case.
CONCERTO_EXPORT bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

/// A request, as passed to a handler.
struct CONCERTO_EXPORT HttpRequest {
  using Query = std::vector<std::pair<std::string, std::string>>;

  std::string method;  ///< upper case as sent: GET, POST, ...
  /// The path without the query. It starts with a slash (but is `*` for OPTIONS *, and an authority
  /// for CONNECT). It is decoded, except `%2F` and `%25`, because an encoded slash separates
  /// nothing.
  std::string path;
  Query query;  ///< decoded, in order; pairs that cannot be decoded are left out
  HttpHeaders headers;
  std::string body;
  boost::asio::ip::tcp::endpoint peer;
  /// The certificate that the client has shown over TLS (peer_certificate.hpp); null without one.
  std::shared_ptr<const PeerCertificate> certificate;

  /// The first query parameter with this name; nothing if there is none.
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

CONCERTO_EXPORT HttpResponse json_response(unsigned status, std::string body);
CONCERTO_EXPORT HttpResponse text_response(unsigned status, std::string body);
/// `{"message":"<message>"}`
CONCERTO_EXPORT HttpResponse error_response(unsigned status, std::string_view message);

}  // namespace concerto::net
