#pragma once

#include <functional>
#include <thread>

#include <concerto/core/error.hpp>

namespace concerto {

/// Makes `thread`, which stands for none yet, one that runs `run`. Errors: overloaded when the
/// system has no room for a thread; the text says so, with `purpose`, which completes "no thread
/// ..".
[[nodiscard]] Result<> start_thread(std::thread& thread, const char* purpose,
                                    std::function<void()> run);

}  // namespace concerto
