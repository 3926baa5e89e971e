#include "admin_path.hpp"

#include <algorithm>

namespace concerto::tools {
namespace {

// Kept like this since the configuration is checked where nothing serves yet.
constexpr std::string_view paths[] = {
    "/api/concerto/why",
    "/api/dtmsvr/abort",
    "/api/dtmsvr/all",
    "/api/dtmsvr/forceStop",
    "/api/dtmsvr/newGid",
    "/api/dtmsvr/prepare",
    "/api/dtmsvr/prepareWorkflow",
    "/api/dtmsvr/query",
    "/api/dtmsvr/queryKV",
    "/api/dtmsvr/registerBranch",
    "/api/dtmsvr/registerTccBranch",
    "/api/dtmsvr/registerXaBranch",
    "/api/dtmsvr/resetCronTime",
    "/api/dtmsvr/resetNextCronTime",
    "/api/dtmsvr/scanKV",
    "/api/dtmsvr/submit",
    "/api/dtmsvr/subscribe",
    "/api/dtmsvr/topic/*",
    "/api/dtmsvr/unsubscribe",
    "/api/dtmsvr/version",
    "/api/json-rpc",
    "/api/metrics",
    "/api/openapi.json",
    "/api/ping",
    "/livez",
    "/metrics",
    "/readyz",
};

/// Whether `path` is `above`, or below it.
bool is_within(std::string_view path, std::string_view above) {
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

}  // namespace

std::span<const std::string_view> served_paths() {
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
  for (const std::string_view served : paths) {
    const std::string_view plain =
        served.ends_with("/*") ? served.substr(0, served.size() - 2) : served;
    if (is_within(clean, plain) || is_within(plain, pages)) return served;
  }
  return {};
}

}  // namespace concerto::tools
