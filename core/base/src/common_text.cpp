#include <algorithm>

#include <concerto/base/common_text.hpp>

namespace concerto {
namespace {

using std::string_view;

constexpr string_view after_scheme = "://";
constexpr string_view after_url = " \t\r\n\"";  // A legal URL has none of these.
constexpr string_view punctuation = ":,;.!)'";  // Where a URL ends, they belong to the sentence.
constexpr string_view gid_mark = "{gid}";

std::size_t find_or_end(string_view text, string_view marks, std::size_t from) {
  return std::min(text.find_first_of(marks, from), text.size());
}

std::string without_queries(string_view text) {
  std::string kept;
  std::size_t done = 0;
  for (std::size_t place = text.find(after_scheme); place != text.npos;
       place = text.find(after_scheme, place)) {
    place += after_scheme.size();
    std::size_t end = find_or_end(text, after_url, place);
    const std::size_t query = find_or_end(text, "?#", place);
    if (query < end) {
      while (punctuation.find(text[end - 1]) != text.npos) --end;
      if (query < end) {
        kept.append(text.substr(done, query - done));
        done = end;
      }
    }
    place = end;
  }
  return kept.append(text.substr(done));
}

/// Whether a letter belongs to a name, so that a gid beside it is a part of a longer word.
bool is_of_word(char letter) noexcept {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '-' ||
         static_cast<unsigned char>(letter) >= 0x80;
}

std::string without_gid(string_view text, string_view gid) {
  std::string kept;
  std::size_t done = 0;
  for (std::size_t place = text.find(gid); place != text.npos; place = text.find(gid, place)) {
    const std::size_t end = place + gid.size();
    const bool begins = place == 0 || !is_of_word(text[place - 1]);
    const bool ends = end == text.size() || !is_of_word(text[end]);
    if (begins && ends) {
      kept.append(text.substr(done, place - done)).append(gid_mark);
      done = end;
    }
    place = end;
  }
  return kept.append(text.substr(done));
}

}  // namespace

std::string common_text(string_view text, string_view gid) {
  std::string kept = without_queries(text);
  return gid.empty() ? kept : without_gid(kept, gid);
}

bool has_text(string_view text, string_view gid, string_view part) {
  return text.find(part) != text.npos || common_text(text, gid).find(part) != text.npos;
}

}  // namespace concerto
