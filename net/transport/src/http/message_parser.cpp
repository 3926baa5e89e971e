#include "message_parser.hpp"

#include <algorithm>

#include <concerto/base/assert.hpp>

namespace concerto::net {
namespace {

constexpr std::size_t typical_fields = 8;
/// With a JSON Web Token.
constexpr std::size_t typical_header_bytes = 1'024;
/// The first line of a chunk has the chunk's size, and extensions, which are not used here.
constexpr std::size_t chunk_line_bytes_max = 4096;
/// Limited because each field takes more memory than its bytes. The error's text repeats the
/// number.
constexpr std::size_t fields_max = 1'000;
/// While the first line is incomplete, so many of its bytes are checked again with each piece.
constexpr std::size_t beginning_bytes_max = 64;

constexpr bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}

}  // namespace

ParseState MessageParser::feed(std::string_view input, std::size_t& used) {
  CONCERTO_ASSERT(!error_ && !is_done());
  const std::size_t all = input.size();
  got_some_ = got_some_ || all > 0;
  while (!is_done() && step(input)) {
  }
  used = all - input.size();
  if (error_) return ParseState::failed;
  return is_done() ? ParseState::complete : ParseState::more;
}

ParseState MessageParser::feed_end() {
  // The chunk of size 0 ends the body (RFC 9112, section 8); the trailer is not needed.
  const bool may_end =
      kind_ == MessageKind::response && (stage_ == Stage::until_end || stage_ == Stage::trailer);
  if (may_end) {
    framing_.keep_alive = false;
    stage_ = Stage::complete;
    return ParseState::complete;
  }
  error_ = MessageErrc::incomplete;
  return ParseState::failed;
}

bool MessageParser::step(std::string_view& input) {
  if (stage_ == Stage::body || stage_ == Stage::until_end || stage_ == Stage::chunk) {
    if (input.empty()) return false;
    error_ = on_body_piece(input);
    return !error_;
  }
  std::string_view line;
  if (!take_line(input, line)) return false;
  error_ = on_line(line);
  return !error_;
}

bool MessageParser::take_line(std::string_view& input, std::string_view& line) {
  const std::size_t end = input.substr(0, line_bytes_max()).find('\n', scanned_);
  if (end == std::string_view::npos) return line_may_be_longer(input);
  scanned_ = 0;
  line = input.substr(0, end);
  input.remove_prefix(end + 1);
  const bool ends_with_cr = line.ends_with('\r');
  if (ends_with_cr) line.remove_suffix(1);
  const bool is_of_chunk = stage_ == Stage::chunk_line || stage_ == Stage::chunk_end;
  // A proxy may take a LF alone for a part of the line, and pass a hidden request on.
  const bool needs_cr = kind_ == MessageKind::request;
  if (line.find('\r') != std::string_view::npos || (needs_cr && !ends_with_cr)) {
    error_ = MessageErrc::bad_line_end;
    return false;
  }
  if (!is_of_chunk) header_bytes_left_ -= end + 1;
  return true;
}

/// Called while the current line has no end. Sets the error if the line is too long or cannot
/// become a legal one. Always false.
bool MessageParser::line_may_be_longer(std::string_view begun) {
  scanned_ = begun.size();
  if (begun.size() >= line_bytes_max()) {
    const bool is_of_chunk = stage_ == Stage::chunk_line || stage_ == Stage::chunk_end;
    error_ = is_of_chunk ? MessageErrc::bad_chunk : MessageErrc::header_too_large;
  } else if (stage_ == Stage::start_line && !begun.empty() && begun.front() != '\r' &&
             !can_begin(kind_, begun.substr(0, beginning_bytes_max))) {
    error_ = MessageErrc::bad_start_line;
  }
  return false;
}

std::size_t MessageParser::line_bytes_max() const noexcept {
  constexpr std::size_t line_end_bytes = 2;
  if (stage_ == Stage::chunk_end) return line_end_bytes;
  return stage_ == Stage::chunk_line ? chunk_line_bytes_max : header_bytes_left_;
}

error_code MessageParser::on_line(std::string_view line) {
  switch (stage_) {
    case Stage::start_line:
      return on_start_line(line);
    case Stage::fields:
      return line.empty() ? on_header_end() : on_field(line);
    case Stage::trailer:
      if (!line.empty()) return on_field(line);
      stage_ = Stage::complete;
      return {};
    case Stage::chunk_line:
      return on_chunk_line(line);
    case Stage::chunk_end:
      if (!line.empty()) return MessageErrc::bad_chunk;
      stage_ = Stage::chunk_line;
      return {};
    case Stage::body:
    case Stage::until_end:
    case Stage::chunk:
    case Stage::complete:
      break;
  }
  CONCERTO_ASSERT(false);
  return {};
}

error_code MessageParser::on_start_line(std::string_view line) {
  // Some clients send an empty line after a body (RFC 9112, section 2.2).
  if (line.empty()) return {};
  headers_.reserve(typical_fields, typical_header_bytes);
  stage_ = Stage::fields;
  return take_start_line(line);
}

error_code MessageParser::on_field(std::string_view line) {
  if (is_blank(line.front())) return on_fold(line);
  FieldLine field;
  const error_code error = parse_field_line(kind_, line, field);
  if (error) return error;
  saw_field_ = true;
  folds_ = !field.name.empty() && stage_ == Stage::fields;
  if (!folds_) return {};
  if (headers_.size() == fields_max) return MessageErrc::too_many_fields;
  headers_.add(field.name, field.value);
  return {};
}

/// A line that continues the value of the line before it (RFC 9112, section 5.2).
error_code MessageParser::on_fold(std::string_view line) {
  // Proxies do not agree on whether such a line belongs to the field before it.
  if (kind_ == MessageKind::request) return MessageErrc::bad_field;
  const std::string_view more = trim_blanks(line);
  if (!is_legal_value(kind_, more)) return MessageErrc::bad_value;
  if (!saw_field_) return MessageErrc::bad_field;
  if (folds_) headers_.extend_last(more);
  return {};
}

error_code MessageParser::on_header_end() {
  CONCERTO_ASSERT(stage_ == Stage::fields);
  if (const error_code error = read_framing(kind_, version_, headers_, framing_)) return error;
  Body body = Body::framed;
  left_ = framing_.length.value_or(0);
  // A header that is refused is complete too: what follows is its body, which the connection drops.
  stage_ = Stage::body;
  if (const error_code error = take_header(body)) return error;
  begin_body(body);
  return {};
}

void MessageParser::begin_body(Body body) noexcept {
  if (body == Body::none) {
    stage_ = Stage::complete;
  } else if (framing_.chunked) {
    stage_ = Stage::chunk_line;
  } else if (framing_.length) {
    stage_ = left_ > 0 ? Stage::body : Stage::complete;
  } else if (body == Body::until_end) {
    framing_.keep_alive = false;
    stage_ = Stage::until_end;
  } else {
    stage_ = Stage::complete;
  }
}

error_code MessageParser::on_chunk_line(std::string_view line) {
  const auto size = parse_chunk_size(kind_, line);
  if (!size) return MessageErrc::bad_chunk;
  left_ = *size;
  folds_ = false;
  stage_ = left_ > 0 ? Stage::chunk : Stage::trailer;
  return {};
}

error_code MessageParser::on_body_piece(std::string_view& input) {
  std::string_view piece = input;
  if (stage_ != Stage::until_end)
    piece = input.substr(0, std::min<std::uint64_t>(left_, input.size()));
  input.remove_prefix(piece.size());
  if (stage_ != Stage::until_end) left_ -= piece.size();
  if (const error_code error = take_body(piece)) return error;
  if (stage_ != Stage::until_end && left_ == 0)
    stage_ = stage_ == Stage::body ? Stage::complete : Stage::chunk_end;
  return {};
}

error_code ResponseParser::take_start_line(std::string_view line) {
  StatusLine status;
  const error_code error = parse_status_line(line, status);
  status_ = status.status;
  version_ = status.version;
  return error;
}

error_code ResponseParser::take_header(Body& body) {
  sink_.begin(headers_);
  const bool has_none = skips_body_ || status_ / 100 == 1 || status_ == 204 || status_ == 304;
  body = has_none ? Body::none : Body::until_end;
  return {};
}

}  // namespace concerto::net
