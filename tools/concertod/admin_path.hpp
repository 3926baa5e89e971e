#pragma once

#include <span>
#include <string>
#include <string_view>

namespace concerto::tools {

/// The paths of the program beside the admin page's, a `*` at the end of those that begin so.
std::span<const std::string_view> served_paths();

/// AdminBasePath as the router wants it: `/dtm`, empty for none. The reference takes `dtm`,
/// `/dtm/`, `/` and what else its path library makes one path of.
std::string clean_admin_path(std::string_view path);

/// The path of served_paths() that the admin page below `clean` would hide, or be hidden by: the
/// same one, one above it, or one among the page's own. Empty: there is none.
std::string_view path_in_conflict(std::string_view clean);

}  // namespace concerto::tools
