#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <concerto/base/timers.hpp>

#include "journal.hpp"
#include "line_limit.hpp"
#include "live_trans.hpp"
#include "shard_env.hpp"

namespace concerto {

/// The lines that an operator acts on. Each says which transaction, branch, operation and URL it is
/// about and when the coordinator tries again; of each target there are a few in a while.
/// On the shard's thread.
class EngineLog {
 public:
  EngineLog(ShardEnv& env, const Journal& journal);

  void write(LogLevel level, const LiveTrans& live, const std::string& text) const;
  /// `thing`: what the line is about beside the transaction; of each there are a few lines.
  void write_limited(LogLevel level, const LiveTrans& live, std::string_view thing,
                     const std::string& text, std::size_t lines = LineLimit::lines_max);
  /// Whether a line about `thing` may be written now; one that may not is counted.
  bool admits(LogLevel level, std::string_view thing, std::size_t lines = LineLimit::lines_max);
  /// A call did not succeed, and is repeated after the pause.
  void write_trouble(const LiveTrans& live, std::chrono::nanoseconds pause);
  /// Ends the windows of lines that are over at `now`.
  void report_left_out(SteadyTime now);
  void stop() { timer_.cancel(); }

 private:
  ShardEnv& env_;
  const Journal& journal_;
  LineLimit line_limit_;
  Timer timer_;
};

}  // namespace concerto
