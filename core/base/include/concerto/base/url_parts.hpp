#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// A URL `scheme://userinfo@host:port/path?query#fragment`, cut at these marks. The parts are views
/// into the URL's text; they are neither checked nor decoded. The fragment is dropped.
///
/// Every reader of URLs begins with this function: net::parse_url, which accepts one host over http
/// or https and checks each part, and net::parse_target_url, which accepts any scheme and lists of
/// hosts. masked_url hides parts that are cut here.
struct UrlParts {
  std::string_view scheme;    ///< a letter, then letters, digits, `+`, `-` and `.`; in any case
  std::string_view userinfo;  ///< up to the last `@` of the authority; empty without one
  std::string_view host;      ///< the rest of the authority, with ports
  std::string_view path;      ///< empty or with a leading slash
  std::string_view query;     ///< without the question mark
};

/// Error invalid_request; its detail is a reason only, such as `no scheme`.
[[nodiscard]] CONCERTO_EXPORT Result<UrlParts> split_url(std::string_view text);

/// The part of a URL before its path.
struct UrlAuthority {
  bool has_userinfo = false;
  std::string_view userinfo;
  std::string_view host;  ///< with ports
};

CONCERTO_EXPORT UrlAuthority split_authority(std::string_view authority) noexcept;

/// Whether `text` has a control character. No URL may have one, not even in its fragment.
CONCERTO_EXPORT bool has_control_character(std::string_view text) noexcept;

/// `host`, `host:port`, `:port` or `[::1]:port`, cut at the colon. Neither part is checked.
struct HostAndPort {
  std::string_view host;  ///< without brackets
  std::string_view port;
  bool has_brackets = false;
  bool has_port = false;  ///< there is a colon; the port behind it may be empty
};

/// Error invalid_request; its detail is a reason only: what is wrong with the brackets.
[[nodiscard]] CONCERTO_EXPORT Result<HostAndPort> split_host_port(std::string_view text);

/// The host that Go's dialer uses for `:port`.
inline constexpr std::string_view host_of_bare_port = "127.0.0.1";

/// The port that `text` gives in digits, from 1 to 65535; nothing for any other text.
CONCERTO_EXPORT std::optional<std::uint16_t> parse_port(std::string_view text) noexcept;

}  // namespace concerto
