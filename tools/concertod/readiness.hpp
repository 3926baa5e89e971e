#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/store_health.hpp>

namespace concerto::tools {

/// What the log tells of a store on a server that does not serve, after the store's own line. The
/// reasons are in that line, and in the answer of /readyz.
std::vector<std::string> store_state_for_log(const StoreHealth& health);

/// Says what the log tells about readiness: when the server is ready for the first time, and later
/// that it is not ready, why, and that it is ready again. Not thread-safe.
class ReadinessLog {
 public:
  /// What passes sooner leaves no line.
  static constexpr std::chrono::seconds patience{1};
  /// Between two lines while the server is not ready. Only other reasons have another line: those
  /// that differ in their numbers alone have not.
  static constexpr std::chrono::seconds pause{10};

  struct Line {
    LogLevel level = LogLevel::info;
    std::string text;
  };

  /// `server`: what the line about the first readiness says of the server.
  explicit ReadinessLog(std::string server) : server_(std::move(server)) {}

  /// The line to write now. `reasons`: why the server is not ready; empty if it is.
  std::optional<Line> look(const std::vector<std::string>& reasons, SteadyTime now);

  bool was_ready() const noexcept { return was_ready_; }

 private:
  std::optional<Line> ready();

  const std::string server_;
  bool was_ready_ = false;
  std::optional<SteadyTime> not_ready_since_;
  std::string told_;  ///< the reasons in the last line, without numbers; empty once it is ready
  SteadyTime told_at_{};
};

}  // namespace concerto::tools
