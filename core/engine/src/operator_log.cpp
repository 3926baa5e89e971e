#include "operator_log.hpp"

namespace concerto {
namespace {

constexpr std::size_t shown_bytes_max = 512;  // of a gid, a topic or an error

}  // namespace

std::string_view cut_name(std::string_view name) noexcept {
  return name.substr(0, shown_bytes_max);
}

void tell_operator(GuardedObserver& observer, LogLevel level, std::string_view gid,
                   std::string what, const RequestContext& context, const Result<>& result) {
  const LogLevel line_level = result ? level : LogLevel::debug;
  if (!observer.logs(line_level)) return;
  what += ", " + context.told();
  if (!result) what.append(", is refused: ").append(cut_name(result.error().detail));
  if (context.trace.is_set()) {
    return observer.log_in_trace(line_level, cut_name(gid), context.trace.trace, what);
  }
  observer.log(line_level, cut_name(gid), what);
}

}  // namespace concerto
