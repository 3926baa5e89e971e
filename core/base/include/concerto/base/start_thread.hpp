#pragma once

#include <functional>
#include <thread>

#include <concerto/base/error.hpp>

namespace concerto {

/// Starts `run` on a thread of its own, which `thread` stands for from then on; it must not stand
/// for one before. Error overloaded when the system has no room for a thread: `the system starts no
/// thread <purpose>: <why>`.
[[nodiscard]] Result<> start_thread(std::thread& thread, const char* purpose,
                                    std::function<void()> run);

}  // namespace concerto
