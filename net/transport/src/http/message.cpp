#include <algorithm>
#include <array>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <concerto/transport/http_message.hpp>

namespace concerto::net {
namespace {

constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool is_space_or_tab(char c) noexcept {
  return c == ' ' || c == '\t';
}

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view{"!#$%&'*+-.^_`|~"})
    table[static_cast<unsigned char>(c)] = true;
  return table;
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

constexpr auto host_bytes = [] {
  std::array<bool, 256> table{};
  for (unsigned char c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned char c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view{"-._~!$&'()*+,;=%"}) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

bool is_host_byte(char c) noexcept {
  return host_bytes[static_cast<unsigned char>(c)];
}

bool is_legal_port(std::string_view port) noexcept {
  return port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit);
}

bool is_legal_byte(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

/// Whether `size` bytes are those of most values: printable ASCII and blanks. Without branches, so
/// that GCC compares many bytes at a time; inlined, it would become a comparison for each byte.
template <std::size_t size>
[[gnu::noinline]] bool is_plain_block(const char* bytes) noexcept {
  constexpr unsigned first = 0x20, last = 0x7e;
  unsigned char greatest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto beyond_first =
        static_cast<unsigned char>(static_cast<unsigned char>(bytes[i]) - first);
    greatest = std::max(greatest, beyond_first);
  }
  return greatest <= last - first;
}

/// Removes the blocks of this size at the beginning of `value` that are plain.
template <std::size_t size>
void remove_plain_blocks(std::string_view& value) noexcept {
  while (value.size() >= size && is_plain_block<size>(value.data())) value.remove_prefix(size);
}

}  // namespace

bool is_legal_header_name(std::string_view name) noexcept {
  static constexpr auto table = make_token_table();
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return table[static_cast<unsigned char>(c)]; });
}

bool is_legal_header_value(std::string_view value) noexcept {
  constexpr std::size_t least = 16;
  const bool has_block = value.size() >= least;
  remove_plain_blocks<256>(value);  // Tokens are long.
  remove_plain_blocks<64>(value);
  remove_plain_blocks<least>(value);
  // The last block begins in the block before it.
  const bool has_tail = has_block && value.size() < least;
  if (has_tail && is_plain_block<least>(value.data() + value.size() - least)) return true;
  return std::all_of(value.begin(), value.end(), is_legal_byte);
}

bool is_legal_host_field(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, end - 1);
    const std::string_view port = text.substr(end + 1);
    return !address.empty() && (port.empty() || port.front() == ':') &&
           is_legal_port(port.substr(std::min<std::size_t>(1, port.size()))) &&
           std::all_of(address.begin(), address.end(),
                       [](char c) { return c == ':' || is_host_byte(c); });
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                     is_host_byte) &&
         is_legal_port(text.substr(std::min(colon + 1, text.size())));
}

std::string_view trim_blanks(std::string_view text) noexcept {
  while (!text.empty() && is_space_or_tab(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space_or_tab(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
  constexpr int case_bit = 'a' ^ 'A';
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](char a, char b) { return a == b || ((a ^ b) == case_bit && is_letter(a)); });
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const noexcept {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].name_bytes != name.size()) continue;
    if (const Field field = (*this)[i]; equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

void HttpHeaders::add(std::string_view name, std::string_view value) {
  slots_.push_back({static_cast<std::uint32_t>(text_.size()),
                    static_cast<std::uint32_t>(name.size()),
                    static_cast<std::uint32_t>(value.size())});
  text_.append(name).append(value);
}

void HttpHeaders::extend_last(std::string_view more) {
  Slot& last = slots_.back();
  if (last.value_bytes > 0 && !more.empty()) {
    text_ += ' ';
    ++last.value_bytes;
  }
  text_.append(more);
  last.value_bytes += static_cast<std::uint32_t>(more.size());
}

void HttpHeaders::set(std::string_view name, std::string_view value) {
  erase(name);
  add(name, value);
}

void HttpHeaders::erase(std::string_view name) {
  // The field's text is not removed: fields are seldom replaced, and this object lives for one
  // message only.
  std::erase_if(slots_, [this, name](const Slot& slot) {
    return equals_ignoring_case(std::string_view{text_}.substr(slot.begin, slot.name_bytes), name);
  });
}

void HttpHeaders::reserve(std::size_t fields, std::size_t bytes) {
  slots_.reserve(fields);
  text_.reserve(bytes);
}

std::optional<std::string_view> HttpRequest::query_value(std::string_view name) const noexcept {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

HttpResponse json_response(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = json_content_type;
  response.body = std::move(body);
  return response;
}

HttpResponse text_response(unsigned status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = text_content_type;
  response.body = std::move(body);
  return response;
}

HttpResponse error_response(unsigned status, std::string_view message) {
  const boost::json::string text{message.data(), message.size()};
  return json_response(status, "{\"message\":" + boost::json::serialize(text) + "}");
}

}  // namespace concerto::net
