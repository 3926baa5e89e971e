#pragma once

#include <list>

#include <concerto/base/clock.hpp>
#include <concerto/engine/trace.hpp>

namespace concerto {

/// What is recorded of a transaction in memory whose trace is recorded. Most have none.
struct LiveTrace {
  TraceParent stored;  ///< what is above everything else that is recorded of it
  TraceParent pass;    ///< set while a pass goes on
  WallTime pass_begin{};
  struct Call {
    TraceParent self;
    SpanId parent;
  };
  std::list<Call> calls;  ///< those that run; their addresses are known to callers

  const TraceParent& current() const noexcept { return pass.is_set() ? pass : stored; }
};

}  // namespace concerto
