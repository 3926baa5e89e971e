// The first header of each source of a shared library. Asio keeps the stack of running contexts and
// the identity of its error codes in variables of its headers. A program has to share them with
// Concerto's libraries, so they stay visible although everything else is hidden.
#pragma once

#pragma GCC visibility push(default)
#include <boost/asio.hpp>
#pragma GCC visibility pop
