#include <concerto/core/branch_caller.hpp>

namespace concerto {

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::success:
      return "success";
    case Outcome::failure:
      return "failure";
    case Outcome::ongoing:
      return "ongoing";
    case Outcome::error:
      return "error";
  }
  return "unknown";
}

std::string with_failure_suffix(std::string_view text) {
  constexpr std::string_view suffix = " FAILURE";
  std::string result{text};
  if (!text.ends_with(suffix)) result += suffix;
  return result;
}

}  // namespace concerto
