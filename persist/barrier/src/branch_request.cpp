#include <algorithm>
#include <cstdint>

#include <concerto/barrier/barrier.hpp>

namespace concerto {
namespace {

// The widths of the columns. A longer value must not be cut: two transactions could share a row.
constexpr std::size_t id_characters_max = 128;
constexpr std::size_t word_characters_max = 45;
/// Of a value that is not taken.
constexpr std::size_t shown_bytes = 160;

/// The members in the order in which errors name them.
struct Field {
  std::string_view name;
  std::string BarrierRequest::*value;
  std::size_t characters_max;
};
constexpr Field fields[] = {
    {"trans_type", &BarrierRequest::trans_type, word_characters_max},
    {"gid", &BarrierRequest::gid, id_characters_max},
    {"branch_id", &BarrierRequest::branch_id, id_characters_max},
    {"op", &BarrierRequest::op, word_characters_max},
};

std::size_t characters_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(
      utf8, [](char byte) { return (static_cast<std::uint8_t>(byte) & 0xC0U) != 0x80U; }));
}

/// As the other SDKs read a value.
std::string stripped(std::string_view value) {
  std::string text(value);
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ';'; });
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// A percent sign without two digits stands for itself.
std::string query_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool is_escape = text[at] == '%' && at + 2 < text.size() &&
                           hex_digit(text[at + 1]) >= 0 && hex_digit(text[at + 2]) >= 0;
    if (is_escape) {
      decoded += static_cast<char>(hex_digit(text[at + 1]) * 16 + hex_digit(text[at + 2]));
      at += 2;
    } else {
      decoded += text[at] == '+' ? ' ' : text[at];
    }
  }
  return decoded;
}

}  // namespace

Result<Barrier> Barrier::from(BarrierRequest request) {
  for (const Field& field : fields) {
    const std::string& value = request.*field.value;
    const std::string name(field.name);
    if (value.empty()) {
      return make_error(Errc::invalid_request, "the request of a branch has no " + name);
    }
    if (value.find('\0') != std::string::npos || characters_of(value) > field.characters_max) {
      return make_error(Errc::invalid_request,
                        name + " '" + value.substr(0, value.find('\0')).substr(0, shown_bytes) +
                            "' is longer than " + std::to_string(field.characters_max) +
                            " characters, or has a zero byte");
    }
  }
  return Barrier(std::move(request));
}

Result<Barrier> Barrier::from_query(std::string_view query) {
  query = query.substr(0, query.find('#'));
  query.remove_prefix(query.find('?') + 1);  // Without a question mark nothing is removed.
  BarrierRequest request;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t name_end = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(name_end + 1, pair.size()));
    take_value(request, "", query_decoded(pair.substr(0, name_end)), query_decoded(value));
  }
  return from(std::move(request));
}

/// Of several values with one name, the first counts.
void Barrier::take_value(BarrierRequest& request, std::string_view prefix, std::string_view name,
                         std::string_view value) {
  if (!name.starts_with(prefix)) return;
  name.remove_prefix(prefix.size());
  for (const Field& field : fields) {
    std::string& member = request.*field.value;
    if (name == field.name && member.empty()) member = stripped(value);
  }
}

}  // namespace concerto
