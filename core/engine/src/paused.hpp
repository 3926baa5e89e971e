#pragma once

#include <concerto/base/async.hpp>
#include <concerto/base/error.hpp>

namespace concerto {

/// What a coordinator that has started paused answers to requests that would lead to a call.
inline Error paused_error() {
  return make_error(Errc::overloaded,
                    "the coordinator was started paused and calls no service; an operator lets it "
                    "work with POST /api/concerto/begin");
}

template <class T>
Async<T> refused_while_paused() {
  co_return paused_error();
}

}  // namespace concerto
