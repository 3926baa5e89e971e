#include "guarded_observer.hpp"

#include <bit>
#include <string>

#include "thrown.hpp"

namespace concerto {

/// Called in the handler of the exception. Writes a line for the first exception and whenever their
/// number has doubled.
void GuardedObserver::has_thrown(const char* function) noexcept {
  exceptions_.add();
  if (!std::has_single_bit(exceptions())) return;
  try {
    std::string text = thrown_by(std::string("the observer's ") + function);
    text += "; exceptions of the observer so far: " + std::to_string(exceptions());
    observer_.log(LogLevel::error, {}, text);
  } catch (...) {
    // The count tells.
  }
}

}  // namespace concerto
