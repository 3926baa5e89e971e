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

/// Whether a call failed for a trouble of the store, and not for what is stored.
bool is_of_store(const Error& error) noexcept;

/// Writes the lines that an operator acts on. Each line names the transaction, branch, op and URL,
/// and says when the coordinator tries again. Lines about one target are limited (LineLimit). On
/// the shard's thread.
class EngineLog {
 public:
  EngineLog(ShardEnv& env, const Journal& journal);

  void write(LogLevel level, const LiveTrans& live, const std::string& text) const;
  /// `thing`: what the line is about, beside the transaction. The lines about one thing are
  /// limited.
  void write_limited(LogLevel level, const LiveTrans& live, std::string_view thing,
                     const std::string& text, std::size_t lines = LineLimit::lines_max);
  /// Whether a line about `thing` may be written now. If it may not, it is counted.
  bool admits(LogLevel level, std::string_view thing, std::size_t lines = LineLimit::lines_max);
  /// Writes that a call did not succeed and is repeated after `pause`.
  void write_trouble(const LiveTrans& live, std::chrono::nanoseconds pause);
  /// Writes why the store refuses a request; clients are not told (docs/operations.md, The log).
  /// While the store's own line has the reason there is none.
  void write_refusal(const Gid& gid, const Error& error);
  /// The same of what the coordinator itself asks of the store. `things`: what such calls are.
  void write_failure(std::string_view things, std::string_view text, const Error& error);
  /// Ends the windows that are over at `now`, and writes how many lines they left out.
  void report_left_out(SteadyTime now);
  void stop() { timer_.cancel(); }

 private:
  void tell(LogLevel level, const LiveTrans& live, std::string_view text) const;

  ShardEnv& env_;
  const Journal& journal_;
  LineLimit line_limit_;
  Timer timer_;
};

}  // namespace concerto
