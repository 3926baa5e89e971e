#pragma once

#include <string_view>

namespace concerto::tools {

/// The paths of OpsPages, except those of the web console. The metrics have the reference's path
/// and the one that scrapers try first.
inline constexpr std::string_view metrics_paths[] = {"/api/metrics", "/metrics"};
inline constexpr std::string_view live_path = "/livez";
inline constexpr std::string_view ready_path = "/readyz";

}  // namespace concerto::tools
