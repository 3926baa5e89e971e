#include <algorithm>
#include <string>

#include <concerto/protocol/parameters.hpp>

namespace concerto::net {
namespace {

Error bad_parameter(std::string text) {
  return make_error(Errc::invalid_request, std::move(text));
}

std::string listed(std::span<const std::string_view> names) {
  if (names.empty()) return "none is known here";
  std::string text = "known here: ";
  for (const std::string_view name : names) {
    text.append(name == names.front() ? "" : ", ").append(name);
  }
  return text;
}

}  // namespace

Result<> check_parameters(const HttpRequest& request, std::span<const std::string_view> names) {
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(names, name) == names.end()) {
      return bad_parameter("unknown parameter '" + name + "'; " + listed(names));
    }
    const auto has_name = [&wanted = name](const auto& each) { return each.first == wanted; };
    if (std::ranges::count_if(request.query, has_name) > 1) {
      return bad_parameter(name + ": the parameter is there more than once");
    }
    if (name != "position" && trim_blanks(value).empty()) {
      return bad_parameter(name + ": expected a value, found an empty text");
    }
  }
  return ok();
}

}  // namespace concerto::net
