#pragma once

namespace concerto::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;
}

/// Guards what this process computed, in every build: prints the condition and its place, aborts.
/// Input from outside is validated and answered with an Error instead.
#define CONCERTO_ASSERT(condition)    \
  ((condition) ? static_cast<void>(0) \
               : ::concerto::detail::assertion_failed(#condition, __FILE__, __LINE__))
