#pragma once

#include <concerto/base/export.hpp>

namespace concerto::detail {
[[noreturn]] CONCERTO_EXPORT void assertion_failed(const char* condition, const char* file,
                                                   int line) noexcept;
}

/// Checks a value that this process computed, in every build. If the condition is false, the macro
/// prints the condition and its place and aborts. Input from outside is validated instead, and
/// wrong input is answered with an Error.
#define CONCERTO_ASSERT(condition)    \
  ((condition) ? static_cast<void>(0) \
               : ::concerto::detail::assertion_failed(#condition, __FILE__, __LINE__))
