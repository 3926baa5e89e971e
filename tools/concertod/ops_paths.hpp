#pragma once

#include <string_view>

namespace concerto::tools {

/// The paths of OpsPages, except those of the web console. The metrics have the reference's path
/// and the one that scrapers try first.
inline constexpr std::string_view metrics_paths[] = {"/api/metrics", "/metrics"};
inline constexpr std::string_view live_path = "/livez";
inline constexpr std::string_view ready_path = "/readyz";

/// The path of BackupPages.
inline constexpr std::string_view backup_path = "/api/concerto/backup";

}  // namespace concerto::tools
