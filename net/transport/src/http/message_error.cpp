#include "message_error.hpp"

#include <string>

namespace concerto::net {
namespace {

const char* text_of(MessageErrc code) noexcept {
  switch (code) {
    case MessageErrc::bad_start_line:
      return "the first line is not of HTTP/1.1";
    case MessageErrc::bad_version:
      return "the version is not HTTP/1.0 or HTTP/1.1";
    case MessageErrc::bad_target:
      return "the request's target is no path";
    case MessageErrc::bad_line_end:
      return "a line does not end as it should";
    case MessageErrc::bad_field:
      return "a header line has no legal name";
    case MessageErrc::bad_value:
      return "a header's value has a control character";
    case MessageErrc::bad_host:
      return "it needs one header Host, with a name and perhaps a port";
    case MessageErrc::bad_length:
      return "Content-Length is not one number, or stands beside Transfer-Encoding";
    case MessageErrc::bad_transfer_encoding:
      return "Transfer-Encoding does not end with one 'chunked'";
    case MessageErrc::unknown_transfer_coding:
      return "Transfer-Encoding names more than 'chunked'";
    case MessageErrc::unknown_content_coding:
      return "bodies with this Content-Encoding are not taken";
    case MessageErrc::unknown_expectation:
      return "Expect is not '100-continue'";
    case MessageErrc::bad_chunk:
      return "a chunk of the body is malformed";
    case MessageErrc::header_too_large:
      return "the header is too large";
    case MessageErrc::too_many_fields:
      return "the header has more than 1000 fields";
    case MessageErrc::too_many_parameters:
      return "the query of the request's target has more than 1000 parameters";
    case MessageErrc::body_too_large:
      return "the body is too large";
    case MessageErrc::broken_gzip:
      return "the body is not gzip data, as its Content-Encoding says";
    case MessageErrc::no_room:
      return "the body is large, and no room is left for it (MaxBufferedBytes)";
    case MessageErrc::incomplete:
      return "the connection ended before the message";
  }
  return "unknown error";
}

class Category final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.http_message"; }
  std::string message(int code) const override { return text_of(static_cast<MessageErrc>(code)); }
};

}  // namespace

const boost::system::error_category& message_category() noexcept {
  static const Category category;
  return category;
}

boost::system::error_code make_error_code(MessageErrc code) noexcept {
  return {static_cast<int>(code), message_category()};
}

}  // namespace concerto::net
