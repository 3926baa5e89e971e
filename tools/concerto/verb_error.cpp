#include "verb_error.hpp"

#include <iostream>

#include <concerto/base/utf8.hpp>

#include "verbs.hpp"

namespace concerto::tools {
namespace {

class VerbCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.verb"; }
  std::string message(int code) const override {
    switch (static_cast<VerbErrc>(code)) {
      case VerbErrc::failed:
        return "failed";
      case VerbErrc::usage:
        return "wrong command line";
      case VerbErrc::refused:
        return "refused";
      case VerbErrc::not_found:
        return "not found";
      case VerbErrc::unreachable:
        return "unreachable";
      case VerbErrc::no_coordinator:
        return "no coordinator";
      case VerbErrc::no_route:
        return "not known to this coordinator";
    }
    return "unknown";
  }
};

}  // namespace

const boost::system::error_category& verb_category() noexcept {
  static const VerbCategory category;
  return category;
}

boost::system::error_code make_error_code(VerbErrc code) noexcept {
  return {static_cast<int>(code), verb_category()};
}

int exit_code_of(const Error& error) noexcept {
  if (error.code.category() != verb_category()) return exit_failed;
  switch (static_cast<VerbErrc>(error.code.value())) {
    case VerbErrc::usage:
      return exit_usage;
    case VerbErrc::refused:
    case VerbErrc::no_route:
      return exit_refused;
    case VerbErrc::not_found:
      return exit_not_found;
    case VerbErrc::unreachable:
    case VerbErrc::no_coordinator:
      return exit_unreachable;
    case VerbErrc::failed:
      break;
  }
  return exit_failed;
}

int tell(const Error& error) {
  std::cerr << visible_line(error.detail) << std::endl;
  return exit_code_of(error);
}

}  // namespace concerto::tools
