#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <concerto/base/assert.hpp>
#include <concerto/base/error.hpp>

namespace concerto {
namespace {

struct Meaning {
  const char* text;
  Condition condition;
};

Meaning meaning_of(Errc code) {
  switch (code) {
    case Errc::invalid_request:
      return {"invalid request", Condition::rejected};
    case Errc::not_supported:
      return {"not supported", Condition::rejected};
    case Errc::overloaded:
      return {"overloaded", Condition::retry_later};
    case Errc::shutting_down:
      return {"shutting down", Condition::outcome_unknown};
    case Errc::deadline_exceeded:
      return {"deadline exceeded", Condition::outcome_unknown};
  }
  return {"unknown error", Condition::outcome_unknown};
}

class BaseCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.base"; }
  std::string message(int value) const override {
    return meaning_of(static_cast<Errc>(value)).text;
  }
  boost::system::error_condition default_error_condition(int value) const noexcept override {
    return make_error_condition(meaning_of(static_cast<Errc>(value)).condition);
  }
};

class ConditionCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "concerto.condition"; }
  std::string message(int value) const override {
    switch (static_cast<Condition>(value)) {
      case Condition::rejected:
        return "rejected";
      case Condition::retry_later:
        return "retry later";
      case Condition::outcome_unknown:
        return "outcome unknown";
    }
    return "unknown condition";
  }
};

}  // namespace

const boost::system::error_category& base_category() noexcept {
  static const BaseCategory category;
  return category;
}

const boost::system::error_category& condition_category() noexcept {
  static const ConditionCategory category;
  return category;
}

boost::system::error_code make_error_code(Errc code) noexcept {
  return {static_cast<int>(code), base_category()};
}

boost::system::error_condition make_error_condition(Condition condition) noexcept {
  return {static_cast<int>(condition), condition_category()};
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
  throw std::logic_error("unchecked error at " + where.to_string() + ": " + error.detail);
}

namespace detail {
void assertion_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, condition);
  std::abort();
}
}  // namespace detail

}  // namespace concerto
