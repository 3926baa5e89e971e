#include <algorithm>
#include <array>

#include <concerto/transport/credential_header.hpp>

namespace concerto::net {
namespace {

/// Parts of names, in lower case.
constexpr std::array<std::string_view, 15> credential_words{
    "authoriz", "authentic", "x-auth", "cookie", "token",   "secret",    "passw",     "credential",
    "api-key",  "api_key",   "apikey", "jwt",    "session", "signature", "access-key"};

char lower_case_of(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool is_credential_header(std::string_view name) noexcept {
  return std::any_of(
      credential_words.begin(), credential_words.end(), [name](std::string_view part) {
        const auto found =
            std::search(name.begin(), name.end(), part.begin(), part.end(),
                        [](char c, char wanted) { return lower_case_of(c) == wanted; });
        return found != name.end();
      });
}

}  // namespace concerto::net
