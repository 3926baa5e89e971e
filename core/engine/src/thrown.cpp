#include "thrown.hpp"

#include <exception>

namespace concerto {

std::string thrown_by(std::string_view who) {
  std::string text(who);
  try {
    throw;
  } catch (const std::exception& thrown) {
    text.append(" threw: ").append(thrown.what());
  } catch (...) {
    text += " threw something that is no std::exception";
  }
  return text;
}

}  // namespace concerto
