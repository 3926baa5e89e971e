#pragma once

#include <string>
#include <string_view>

#include <concerto/base/error.hpp>
#include <concerto/engine/request_context.hpp>

#include "guarded_observer.hpp"

namespace concerto {

/// Writes the line about an operator's request for transactions or topics: `what` was done, and who
/// asked. A refused request has changed nothing: its line has level debug and gives the reason.
void tell_operator(GuardedObserver& observer, LogLevel level, std::string_view gid,
                   std::string what, const RequestContext& context, const Result<>& result);

/// `name`, cut to a length at which requests with long names do not fill the log.
std::string_view cut_name(std::string_view name) noexcept;

}  // namespace concerto
