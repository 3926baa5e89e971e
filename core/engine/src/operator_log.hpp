#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/engine/request_context.hpp>

namespace concerto {

/// The line of a request that an operator made of running transactions or topics: `what` was done,
/// and who asked. A refused request has changed nothing: its line is at level debug and has the
/// reason.
void tell_operator(Observer& observer, LogLevel level, std::string_view gid, std::string what,
                   const RequestContext& context, const Result<>& result);

/// `name`, no longer than a line of the log may hold it: whoever asks for nonsense fills no log.
std::string_view told_name(std::string_view name) noexcept;

}  // namespace concerto
