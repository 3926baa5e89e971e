#include "message_framing.hpp"

#include <algorithm>
#include <charconv>

#include "message_error.hpp"

namespace concerto::net {
namespace {

/// Splits a list at its commas.
class ListReader {
 public:
  explicit ListReader(std::string_view list) : rest_(list), left_(!list.empty()) {}

  bool next(std::string_view& member) noexcept {
    if (!left_) return false;
    const std::size_t comma = rest_.find(',');
    left_ = comma != std::string_view::npos;
    member = trim_blanks(rest_.substr(0, comma));
    rest_.remove_prefix(left_ ? comma + 1 : rest_.size());
    return true;
  }

 private:
  std::string_view rest_;
  bool left_;
};

/// What the fields have said so far.
struct Facts {
  bool has_codings = false;
  bool other_coding = false;  // a coding other than chunked
  bool empty_coding = false;
  bool chunked_is_last = false;
  unsigned chunked_count = 0;
  bool closes = false;
  bool stays = false;
};

error_code read_length(std::string_view value, std::optional<std::uint64_t>& length) noexcept {
  std::string_view member;
  ListReader list{value};
  if (value.empty()) return MessageErrc::bad_length;
  while (list.next(member)) {
    std::uint64_t number = 0;
    const char* const last = member.data() + member.size();
    const auto [end, error] = std::from_chars(member.data(), last, number);
    if (error != std::errc{} || end != last) return MessageErrc::bad_length;
    if (length && *length != number) return MessageErrc::bad_length;
    length = number;
  }
  return {};
}

void read_codings(MessageKind kind, std::string_view value, Facts& facts) noexcept {
  facts.has_codings = true;
  std::string_view member;
  for (ListReader list{value}; list.next(member);) {
    facts.empty_coding = facts.empty_coding || member.empty();
    if (member.empty()) continue;
    // Older servers send "identity" with a body that is not encoded.
    if (kind == MessageKind::response && equals_ignoring_case(member, "identity")) continue;
    facts.chunked_is_last = equals_ignoring_case(member, "chunked");
    if (facts.chunked_is_last) {
      ++facts.chunked_count;
    } else {
      facts.other_coding = true;
    }
  }
}

void read_connection(std::string_view value, Facts& facts) noexcept {
  std::string_view member;
  for (ListReader list{value}; list.next(member);) {
    facts.closes = facts.closes || equals_ignoring_case(member, "close");
    facts.stays = facts.stays || equals_ignoring_case(member, "keep-alive");
  }
}

error_code judge_codings(MessageKind kind, int version, const Facts& facts) noexcept {
  // RFC 9112, section 6.1: HTTP/1.0 has no codings, so its proxies pass such a body on unread.
  const bool is_odd = facts.empty_coding || version < 11;
  if (kind == MessageKind::request && is_odd) return MessageErrc::bad_transfer_encoding;
  if (facts.chunked_count == 0 && !facts.other_coding) {
    return kind == MessageKind::request ? MessageErrc::bad_transfer_encoding : error_code{};
  }
  if (!facts.chunked_is_last || facts.chunked_count > 1) return MessageErrc::bad_transfer_encoding;
  return facts.other_coding ? MessageErrc::unknown_transfer_coding : error_code{};
}

}  // namespace

error_code read_framing(MessageKind kind, int version, const HttpHeaders& headers,
                        MessageFraming& out) noexcept {
  Facts facts;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto [name, value] = headers[i];
    if (name.size() == 4 && equals_ignoring_case(name, "Host")) ++out.host_count;
    if (name.size() == 10 && equals_ignoring_case(name, "Connection"))
      read_connection(value, facts);
    if (name.size() == 14 && equals_ignoring_case(name, "Content-Length")) {
      if (const error_code error = read_length(value, out.length)) return error;
    }
    if (name.size() == 17 && equals_ignoring_case(name, "Transfer-Encoding")) {
      read_codings(kind, value, facts);
    }
  }
  out.keep_alive = version >= 11 ? !facts.closes : facts.stays && !facts.closes;
  if (!facts.has_codings) return {};
  if (const error_code error = judge_codings(kind, version, facts)) return error;
  out.chunked = facts.chunked_count > 0;
  if (!out.chunked) return {};
  if (out.length && kind == MessageKind::request) return MessageErrc::bad_length;
  // If a message has two framings, or one that its HTTP version does not know, the connection ends
  // after it.
  if (out.length || version < 11) out.keep_alive = false;
  out.length.reset();
  return {};
}

}  // namespace concerto::net
