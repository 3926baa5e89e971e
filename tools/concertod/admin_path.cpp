#include "admin_path.hpp"

#include <algorithm>
#include <vector>

#include <concerto/protocol/api_http.hpp>

#include "ops_paths.hpp"

namespace concerto::tools {
namespace {

std::vector<std::string_view> all_paths() {
  std::vector<std::string_view> paths = net::HttpApi::paths();
  paths.insert(paths.end(), std::begin(metrics_paths), std::end(metrics_paths));
  paths.insert(paths.end(), {live_path, ready_path, backup_path});
  return paths;
}

/// Whether `path` is `above` or lies below it.
bool is_within(std::string_view path, std::string_view above) {
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

}  // namespace

std::span<const std::string_view> served_paths() {
  static const std::vector<std::string_view> paths = all_paths();
  return paths;
}

std::string clean_admin_path(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
    if (segment == "..") {
      clean.erase(std::min(clean.rfind('/'), clean.size()));
    } else if (!segment.empty() && segment != ".") {
      clean.append("/").append(segment);
    }
  }
  return clean;
}

std::string_view path_in_conflict(std::string_view clean) {
  const std::string pages = std::string{clean} + "/admin";
  for (const std::string_view served : served_paths()) {
    const std::string_view plain =
        served.ends_with("/*") ? served.substr(0, served.size() - 2) : served;
    if (is_within(clean, plain) || is_within(plain, pages)) return served;
  }
  return {};
}

}  // namespace concerto::tools
