#pragma once

#include <span>
#include <string>
#include <string_view>

namespace concerto::tools {

/// The paths that the program serves besides the web console. A `*` at the end stands for all paths
/// that begin like this.
std::span<const std::string_view> served_paths();

/// AdminBasePath in the router's form: `/dtm`, or empty for none. The reference accepts `dtm`,
/// `/dtm/`, `/` and all other spellings that its path library cleans.
std::string clean_admin_path(std::string_view path);

/// The path of served_paths() that would conflict with the console below `clean`: the same path,
/// a path above it, or one of the page's own paths. Empty if there is none.
std::string_view path_in_conflict(std::string_view clean);

}  // namespace concerto::tools
