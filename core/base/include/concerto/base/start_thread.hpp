#pragma once

#include <functional>
#include <thread>

#include <concerto/base/error.hpp>
#include <concerto/base/export.hpp>

namespace concerto {

/// Starts `run` on a new thread and assigns the thread to `thread`, which must not be joinable
/// before. The error is overloaded if the system cannot start a thread: `the system starts no
/// thread <purpose>: <why>`.
[[nodiscard]] CONCERTO_EXPORT Result<> start_thread(std::thread& thread, const char* purpose,
                                                    std::function<void()> run);

}  // namespace concerto
