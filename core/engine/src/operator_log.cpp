#include "operator_log.hpp"

namespace concerto {
namespace {

constexpr std::size_t told_bytes_max = 512;  // of a gid, a topic or an error

}  // namespace

std::string_view told_name(std::string_view name) noexcept {
  return name.substr(0, told_bytes_max);
}

void tell_operator(Observer& observer, LogLevel level, std::string_view gid, std::string what,
                   const RequestContext& context, const Result<>& result) {
  const LogLevel own = result ? level : LogLevel::debug;
  if (!observer.logs(own)) return;
  what += ", " + context.told();
  if (!result) what.append(", is refused: ").append(told_name(result.error().detail));
  observer.log(own, told_name(gid), what);
}

}  // namespace concerto
