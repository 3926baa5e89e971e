#include <algorithm>
#include <array>

#include <concerto/base/masked_url.hpp>
#include <concerto/base/url_parts.hpp>

namespace concerto {
namespace {

using std::string_view;
constexpr auto npos = string_view::npos;

constexpr string_view mask = "***";
constexpr string_view after_scheme = "://";

/// A parameter is secret if its name contains one of these.
constexpr std::array<string_view, 8> in_secret_names{"access_key", "api_key", "apikey",    "passwd",
                                                     "password",   "secret",  "signature", "token"};
/// A parameter is secret if its name is one of these.
constexpr std::array<string_view, 3> secret_names{"key", "sig", "sign"};

/// The bytes of a text from `begin` to before `end`.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool empty() const noexcept { return begin == end; }
};

char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equals_lower(string_view text, string_view lower) noexcept {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char left, char right) { return to_lower(left) == right; });
}

bool contains_lower(string_view text, string_view lower) noexcept {
  return std::search(text.begin(), text.end(), lower.begin(), lower.end(),
                     [](char left, char right) { return to_lower(left) == right; }) != text.end();
}

bool is_secret(string_view name) noexcept {
  return std::any_of(secret_names.begin(), secret_names.end(),
                     [&](string_view secret) { return equals_lower(name, secret); }) ||
         std::any_of(in_secret_names.begin(), in_secret_names.end(),
                     [&](string_view secret) { return contains_lower(name, secret); });
}

/// The characters that end the parts of a URL.
struct Ends {
  string_view authority;
  string_view name;   ///< of a query parameter
  string_view value;  ///< of a query parameter
  bool is_text;       ///< a blank or a double quote ends the URL itself: a legal URL has neither
};

constexpr Ends in_url{"/?#", "=&?#", "&#", false};
constexpr Ends in_text{"/?# \t\r\n\"", "=&?# \t\r\n\"", "&# \t\r\n\"", true};

std::size_t end_of(string_view text, std::size_t begin, string_view ends) noexcept {
  return std::min(text.find_first_of(ends, begin), text.size());
}

/// The authority that begins at `begin`. In a text, a blank or a quote may belong to a password:
/// where no @ stands before it, one may stand behind it, on the same line. Rather too much is
/// masked then than too little.
UrlAuthority authority_at(string_view text, std::size_t begin, const Ends& ends) noexcept {
  const auto until = [&](string_view marks) {
    return split_authority(text.substr(begin, end_of(text, begin, marks) - begin));
  };
  const UrlAuthority plain = until(ends.authority);
  if (plain.has_userinfo || !ends.is_text) return plain;
  const UrlAuthority longer = until("/?#\r\n");
  return longer.userinfo.find(':') == npos ? plain : longer;
}

/// The secret in the authority that begins at `begin`: the password, or the user if there is no
/// password. Empty if there is no user.
Range secret_of_user(string_view text, std::size_t begin, const Ends& ends) noexcept {
  const UrlAuthority authority = authority_at(text, begin, ends);
  if (!authority.has_userinfo) return {};
  const std::size_t colon = authority.userinfo.find(':');
  return {begin + (colon == npos ? 0 : colon + 1), begin + authority.userinfo.size()};
}

/// The value of the query parameter whose name begins at `begin`; empty unless the parameter is
/// secret.
Range secret_of_parameter(string_view text, std::size_t begin, const Ends& ends) noexcept {
  const std::size_t end = end_of(text, begin, ends.name);
  if (end == text.size() || text[end] != '=') return {};
  if (!is_secret(text.substr(begin, end - begin))) return {};
  return {end + 1, end_of(text, end + 1, ends.value)};
}

Range secret_at(string_view text, std::size_t place, const Ends& ends) noexcept {
  if (text[place] != ':') return secret_of_parameter(text, place + 1, ends);
  if (!text.substr(place).starts_with(after_scheme)) return {};
  return secret_of_user(text, place + after_scheme.size(), ends);
}

std::string masked(string_view text, const Ends& ends) {
  std::string shown;
  std::size_t done = 0;
  for (std::size_t place = text.find_first_of(":?&"); place != npos;
       place = text.find_first_of(":?&", place)) {
    const Range secret = secret_at(text, place, ends);
    ++place;
    if (secret.empty()) continue;
    shown.append(text.substr(done, secret.begin - done)).append(mask);
    done = place = secret.end;
  }
  return shown.append(text.substr(done));
}

}  // namespace

std::string masked_urls(string_view text) {
  return masked(text, in_text);
}

std::string masked_url(string_view url) {
  // If the URL has a scheme, the first slash is the scheme's. A query may contain other URLs.
  const std::size_t scheme_end = url.find(after_scheme);
  const bool has_scheme = scheme_end != npos && url.find_first_of("/?#@") == scheme_end + 1;
  if (has_scheme) return masked(url, in_url);
  const Range secret = secret_of_user(url, 0, in_url);
  if (secret.empty()) return masked(url, in_url);
  std::string shown{url.substr(0, secret.begin)};
  return shown.append(mask).append(masked(url.substr(secret.end), in_url));
}

std::string masked_url_beyond_host(string_view url) {
  const std::size_t scheme_end = url.find(after_scheme);
  const std::size_t begin = scheme_end == npos ? 0 : scheme_end + after_scheme.size();
  const std::size_t end = end_of(url, begin, in_url.authority);
  std::string shown = masked_url(url.substr(0, end));
  const string_view rest = url.substr(end);
  if (rest.empty() || rest == "/") return shown.append(rest);
  return shown.append(rest.substr(0, 1)).append(mask);
}

}  // namespace concerto
