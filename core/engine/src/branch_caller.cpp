#include <concerto/engine/branch_caller.hpp>

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

std::string_view call_target(std::string_view url) noexcept {
  constexpr std::string_view mark = "://";
  const std::size_t scheme_end = url.find(mark);
  const bool has_scheme = scheme_end != std::string_view::npos;
  const std::size_t host = has_scheme ? scheme_end + mark.size() : 0;
  std::size_t end = url.find_first_of("/?", host);
  const bool is_http = url.starts_with("http://") || url.starts_with("https://");
  if (has_scheme && !is_http && end != std::string_view::npos) {
    end = url.find_first_of("/?", end + 1);  // The name of the service comes next.
  }
  return url.substr(0, end);
}

std::string with_failure_suffix(std::string_view text) {
  constexpr std::string_view suffix = " FAILURE";
  std::string result{text};
  if (!text.ends_with(suffix)) result += suffix;
  return result;
}

}  // namespace concerto
