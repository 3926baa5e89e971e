#include "engine_log.hpp"

#include <concerto/base/counted.hpp>
#include <concerto/base/masked_url.hpp>
#include <concerto/engine/error.hpp>

namespace concerto {
namespace {

std::string in_time(std::chrono::nanoseconds pause) {
  using std::chrono::milliseconds;
  const auto ms = std::chrono::duration_cast<milliseconds>(pause).count();
  return ms < 10'000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1'000) + " s";
}

}  // namespace

bool is_of_store(const Error& error) noexcept {
  return error.code == EngineErrc::store_busy || error.code == EngineErrc::store_failed ||
         error.code == EngineErrc::store_unavailable;
}

EngineLog::EngineLog(ShardEnv& env, const Journal& journal)
    : env_(env),
      journal_(journal),
      timer_(env.ports.timers, [this] { report_left_out(env_.now()); }) {}

void EngineLog::write(LogLevel level, const LiveTrans& live, const std::string& text) const {
  if (env_.observer.logs(level)) tell(level, live, text);
}

void EngineLog::tell(LogLevel level, const LiveTrans& live, std::string_view text) const {
  if (const auto trace = trace_among(live.trans.options.branch_headers)) {
    return env_.observer.log_in_trace(level, live.gid.view(), trace->trace, text);
  }
  env_.observer.log(level, live.gid.view(), text);
}

void EngineLog::write_limited(LogLevel level, const LiveTrans& live, std::string_view thing,
                              const std::string& text, std::size_t lines) {
  if (admits(level, thing, lines)) tell(level, live, text);
}

bool EngineLog::admits(LogLevel level, std::string_view thing, std::size_t lines) {
  if (!env_.observer.logs(level)) return false;
  const bool admitted = line_limit_.admits(thing, env_.now(), lines);
  if (!timer_.is_set() && !env_.stopping) timer_.set(line_limit_.next_end());
  return admitted;
}

void EngineLog::write_trouble(const LiveTrans& live, std::chrono::nanoseconds pause) {
  if (!live.pass.worst) return;
  const Trouble& trouble = *live.pass.worst;
  if (!admits(LogLevel::warn, trouble.target)) return;
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
  tell(LogLevel::warn, live, text);
}

void EngineLog::write_refusal(const Gid& gid, const Error& error) {
  if (!is_of_store(error) || env_.store.health().is_told()) return;
  if (!admits(LogLevel::error, "requests that the store refuses", 1)) return;
  env_.observer.log(LogLevel::error, gid.view(), "the store refuses a request: " + error.detail);
}

void EngineLog::write_failure(std::string_view things, std::string_view text, const Error& error) {
  if (env_.stopping || env_.store.health().is_told()) return;
  if (!admits(LogLevel::error, things, 1)) return;
  env_.observer.log(LogLevel::error, {}, std::string(text) + ": " + error.detail);
}

void EngineLog::report_left_out(SteadyTime now) {
  for (const auto& [thing, lines] : line_limit_.end_windows(now)) {
    const std::string about = thing.empty() ? "other targets" : masked_url(thing);
    env_.observer.log(LogLevel::warn, {},
                      counted(lines, "more line") + " about " + about +
                          (lines == 1 ? " was" : " were") + " left out");
  }
  if (!env_.stopping) timer_.set(line_limit_.next_end());
}

}  // namespace concerto
