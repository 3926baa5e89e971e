#pragma once

#include <concerto/base/system.hpp>

namespace concerto::net {

using concerto::SystemClock;
using concerto::SystemRandom;

}  // namespace concerto::net
