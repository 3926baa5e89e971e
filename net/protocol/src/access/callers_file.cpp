#include "access/callers_file.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <openssl/sha.h>

#include <concerto/transport/http_message.hpp>

namespace concerto::net {
namespace {

constexpr std::size_t lines_max = 1'000;
constexpr std::size_t name_bytes_max = 100;
constexpr std::string_view blanks = " \t\r";
constexpr std::string_view until_mark = "until=";

constexpr std::pair<std::string_view, Proof> proofs[] = {
    {"sha256", Proof::token}, {"cn", Proof::common_name}, {"dns", Proof::dns_name},
    {"uri", Proof::uri},      {"email", Proof::email},    {"cert-sha256", Proof::fingerprint}};

Error bad_line(std::size_t number, std::string_view what) {
  return make_error(Errc::invalid_request,
                    "line " + std::to_string(number) + ": " + std::string{what});
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t begin = line.find_first_not_of(blanks);
    // A comment begins where a word could begin: URIs may have the character, too.
    if (begin == std::string_view::npos || line[begin] == '#') return words;
    line.remove_prefix(begin);
    const std::size_t size = std::min(line.find_first_of(blanks), line.size());
    words.push_back(line.substr(0, size));
    line.remove_prefix(size);
  }
}

bool is_name(std::string_view name) {
  return name.size() <= name_bytes_max &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<RoleSet> roles_from(std::string_view list) {
  RoleSet roles = {};
  for (;;) {
    const std::size_t size = std::min(list.find(','), list.size());
    const RoleSet of_word = roles_of_word(list.substr(0, size));
    if (of_word.empty()) return std::nullopt;
    roles.add(of_word);
    if (size == list.size()) return roles;
    list.remove_prefix(size + 1);
  }
}

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::optional<Sha256> hash_from(std::string_view digits) {
  Sha256 hash{};
  if (digits.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const int high = digit_of(digits[2 * i]), low = digit_of(digits[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return hash;
}

/// Examples and first guesses. Whoever copies such a line has let everybody in.
constexpr std::string_view well_known_texts[] = {"",         "test",   "test2", "password",
                                                 "changeme", "secret", "token", "admin"};

bool is_well_known(const Sha256& hash) {
  return std::ranges::any_of(well_known_texts,
                             [&hash](std::string_view text) { return sha256_of(text) == hash; });
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return result;
}

std::optional<WallTime> date_from(std::string_view text) {
  const auto number = [text](std::size_t at, std::size_t size) -> int {
    int value = -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + size, value);
    return error == std::errc{} && end == text.data() + at + size ? value : -1;
  };
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2);
  if (year < 2000 || year > 2200 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return WallTime{std::chrono::sys_days{date}};
}

/// Reads the word that says how the caller is recognized. The error is a sentence without a value,
/// because somebody may have written a token there.
Result<> read_proof(std::string_view word, std::size_t number, CallerLine& line) {
  const std::size_t colon = word.find(':');
  const std::string_view kind = word.substr(0, colon);
  const auto proof =
      std::ranges::find_if(proofs, [kind](const auto& row) { return row.first == kind; });
  if (colon == std::string_view::npos || proof == std::end(proofs)) {
    return bad_line(number,
                    "the third word has to begin with sha256:, cn:, dns:, uri:, email: or "
                    "cert-sha256:");
  }
  const std::string_view value = word.substr(colon + 1);
  line.proof = proof->second;
  if (value.empty()) return bad_line(number, "nothing follows the colon");
  if (line.proof == Proof::token || line.proof == Proof::fingerprint) {
    const auto hash = hash_from(value);
    if (!hash) return bad_line(number, "a SHA-256 has 64 hexadecimal digits");
    if (line.proof == Proof::token && is_well_known(*hash)) {
      return bad_line(number,
                      "the hash is that of a well-known text, as 'test', and so everybody has the "
                      "token; a token is random, as of openssl rand -hex 32");
    }
    line.token_hash = *hash;
  }
  const bool any_case = line.proof == Proof::dns_name || line.proof == Proof::fingerprint;
  if (line.proof != Proof::token) line.value = any_case ? lower(value) : std::string{value};
  return ok();
}

Result<CallerLine> read_line(const std::vector<std::string_view>& words, std::size_t number) {
  CallerLine line;
  if (words.size() < 3) return bad_line(number, "expected a name, roles and a proof");
  if (words.size() > 4) return bad_line(number, "there are more than four words");
  if (!is_name(words[0])) {
    return bad_line(number, "a name has at most 100 printable characters of ASCII");
  }
  if (words[0].starts_with("jwt:") || words[0].starts_with('(')) {
    return bad_line(number, "names that begin with jwt: or ( are those of others");
  }
  line.caller.name = words[0];
  const auto roles = roles_from(words[1]);
  if (!roles) return bad_line(number, "the roles are client, viewer and operator, with commas");
  line.caller.roles = *roles;
  CONCERTO_CHECK(read_proof(words[2], number, line));
  if (words.size() == 4) {
    if (!words[3].starts_with(until_mark)) return bad_line(number, "the fourth word is until=date");
    const auto until = date_from(words[3].substr(until_mark.size()));
    if (!until) return bad_line(number, "a date is written as 2027-01-31");
    line.caller.until = *until;
  }
  return line;
}

}  // namespace

Sha256 sha256_of(std::string_view bytes) {
  Sha256 hash{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  return hash;
}

RoleSet roles_of_word(std::string_view word) noexcept {
  if (word == "client") return {RouteRole::clients};
  if (word == "viewer") return {RouteRole::viewers};
  if (word == "operator") return RoleSet::all();
  return {};
}

Result<std::vector<CallerLine>> read_callers_file(std::string_view text) {
  std::vector<CallerLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t size = std::min(text.find('\n'), text.size());
    const auto words = words_of(text.substr(0, size));
    text.remove_prefix(std::min(size + 1, text.size()));
    if (words.empty()) continue;
    if (lines.size() == lines_max) return bad_line(number, "1000 callers are the limit");
    CONCERTO_TRY(auto line, read_line(words, number));
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace concerto::net
