// The lines that an operator acts on. Each says which transaction, branch, operation and URL it is
// about and when the coordinator tries again; of each target there are a few in a while.

#include <concerto/base/masked_url.hpp>

#include "engine.hpp"

namespace concerto {
namespace {

std::string in_time(std::chrono::nanoseconds pause) {
  using std::chrono::milliseconds;
  const auto ms = std::chrono::duration_cast<milliseconds>(pause).count();
  return ms < 10'000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1'000) + " s";
}

}  // namespace

void Engine::log(LogLevel level, const LiveTrans& live, const std::string& text) const {
  if (ports_.observer.logs(level)) ports_.observer.log(level, live.gid.view(), text);
}

/// `thing`: what the line is about beside the transaction; of each there are a few lines.
void Engine::log_limited(LogLevel level, const LiveTrans& live, std::string_view thing,
                         const std::string& text, std::size_t lines) {
  if (admits_line(level, thing, lines)) ports_.observer.log(level, live.gid.view(), text);
}

bool Engine::admits_line(LogLevel level, std::string_view thing, std::size_t lines) {
  if (!ports_.observer.logs(level)) return false;
  const bool admitted = line_limit_.admits(thing, ports_.timers.now(), lines);
  if (!log_timer_.is_set() && !stopping_) log_timer_.set(line_limit_.next_end());
  return admitted;
}

/// A call did not succeed, and is repeated after the pause.
void Engine::log_trouble(const LiveTrans& live, std::chrono::nanoseconds pause) {
  if (!live.pass.worst) return;
  const Trouble& trouble = *live.pass.worst;
  if (!admits_line(LogLevel::warn, trouble.target)) return;
  std::string text;
  std::uint32_t attempt = 0;
  if (trouble.branch) {
    const Branch& branch = live.trans.branches[*trouble.branch];
    text = "branch " + branch.branch_id.str() + " " + branch.op + " at " + trouble.url;
    attempt = journal_.tries(live.gid, branch.branch_id.view(), branch.op);
  } else {
    text = "its application at " + masked_url(live.trans.query_prepared);
    attempt = journal_.tries(live.gid, "00", {});
  }
  if (attempt > 0) text += ", attempt " + std::to_string(attempt);
  text += ", ended in " + std::string(to_string(trouble.outcome)) + ": " +
          (trouble.text.empty() ? trouble.error.detail : trouble.text) + "; next try in " +
          in_time(pause);
  ports_.observer.log(LogLevel::warn, live.gid.view(), text);
}

/// Ends the windows of lines that are over at `now`.
void Engine::report_left_out(SteadyTime now) {
  for (const auto& [thing, lines] : line_limit_.end_windows(now)) {
    const std::string about = thing.empty() ? "other targets" : masked_url(thing);
    ports_.observer.log(LogLevel::warn, {},
                        std::to_string(lines) + " more lines about " + about + " were left out");
  }
  if (!stopping_) log_timer_.set(line_limit_.next_end());
}

}  // namespace concerto
