#include "terminal.hpp"

#include <cstdlib>
#include <unistd.h>

#include <sys/ioctl.h>

namespace concerto::tools {
namespace {

constexpr std::size_t columns_of_unknown = 80;
constexpr std::size_t rows_of_unknown = 24;

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread yet
  return value == nullptr ? std::string_view() : value;
}

std::string_view code_of(Colour colour) noexcept {
  switch (colour) {
    case Colour::bold:
      return "1";
    case Colour::dim:
      return "2";
    case Colour::red:
      return "31";
    case Colour::green:
      return "32";
    case Colour::yellow:
      return "33";
    case Colour::none:
      break;
  }
  return {};
}

}  // namespace

Terminal Terminal::of(int descriptor) {
  Terminal terminal;
  terminal.is_terminal = ::isatty(descriptor) != 0;
  if (!terminal.is_terminal) return terminal;
  terminal.has_colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  winsize size{};
  const bool known = ::ioctl(descriptor, TIOCGWINSZ, &size) == 0;
  terminal.columns = known && size.ws_col > 0 ? size.ws_col : columns_of_unknown;
  terminal.rows = known && size.ws_row > 0 ? size.ws_row : rows_of_unknown;
  return terminal;
}

std::string coloured(std::string_view text, Colour colour, bool has_colour) {
  if (!has_colour || colour == Colour::none || text.empty()) return std::string(text);
  std::string with = "\x1b[";
  with.append(code_of(colour)).append("m").append(text).append("\x1b[0m");
  return with;
}

Colour colour_of_status(std::string_view status) noexcept {
  if (status == "succeed" || status == "success" || status == "done" || status == "ok") {
    return Colour::green;
  }
  if (status == "failed" || status == "failure" || status == "error" || status == "refused") {
    return Colour::red;
  }
  if (status == "aborting" || status == "ongoing" || status == "warning") return Colour::yellow;
  return Colour::none;
}

}  // namespace concerto::tools
