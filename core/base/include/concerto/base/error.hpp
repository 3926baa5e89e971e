#pragma once

#include <string>
#include <system_error>
#include <type_traits>

#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include <concerto/base/export.hpp>

namespace concerto {

using boost::system::error_code;

/// What went wrong. The code is for programs. The detail is for people: it names field and value,
/// and it is the text that the protocol's front ends send.
struct Error {
  error_code code;
  std::string detail;
};

/// A value or an Error. `T` must be default-constructible, so that results can pass through
/// co_spawn.
template <class T = void>
using Result = boost::system::result<T, Error>;

/// The success of an operation without a value.
inline Result<> ok() {
  return {};
}

/// What a caller may conclude from an error of any module. Compare with `error.code ==
/// Condition::...`.
enum class Condition {
  rejected = 1,     ///< did not and will not happen
  retry_later,      ///< did not happen; may succeed later
  outcome_unknown,  ///< may have happened
};

/// Errors that any part may have. A part whose callers need more has an enum and a category of its
/// own: EngineErrc, HttpErrc, GrpcCode.
enum class Errc {
  invalid_request = 1,  ///< a field is missing or wrong
  not_supported,        ///< known to the protocol, not in this version
  overloaded,           ///< a limit on work in flight is reached; try later
  shutting_down,        ///< the process stops; whether the work ends is not known yet
  deadline_exceeded,    ///< the caller's time is over; processing goes on
};

CONCERTO_EXPORT const boost::system::error_category& base_category() noexcept;
CONCERTO_EXPORT const boost::system::error_category& condition_category() noexcept;
CONCERTO_EXPORT boost::system::error_code make_error_code(Errc code) noexcept;
CONCERTO_EXPORT boost::system::error_condition make_error_condition(Condition condition) noexcept;

inline Error make_error(Errc code, std::string detail) {
  return Error{make_error_code(code), std::move(detail)};
}

/// Drops a result on purpose. `reason` is for the reader of the code.
template <class T>
void ignore_error(const Result<T>&, const char* /*reason*/) {}

/// Called by result::value() when the result is an error. That is a bug of the caller, which has to
/// check the result first.
[[noreturn]] CONCERTO_EXPORT void throw_exception_from_error(const Error& error,
                                                             const boost::source_location& where);

}  // namespace concerto

template <>
struct boost::system::is_error_code_enum<concerto::Errc> : std::true_type {};
template <>
struct boost::system::is_error_condition_enum<concerto::Condition> : std::true_type {};

#define CONCERTO_CONCAT_(a, b) a##b
#define CONCERTO_CONCAT(a, b) CONCERTO_CONCAT_(a, b)
#define CONCERTO_TRY_(leave, result, declaration, ...) \
  auto&& result = (__VA_ARGS__);                       \
  if (!result) leave std::move(result).error();        \
  declaration = std::move(*result)
#define CONCERTO_CHECK_(leave, ...)                                                 \
  do {                                                                              \
    if (auto&& result_ = (__VA_ARGS__); !result_) leave std::move(result_).error(); \
  } while (false)

/// `CONCERTO_TRY(auto value, expression)`: takes the value of a Result, or returns its error.
#define CONCERTO_TRY(declaration, ...) \
  CONCERTO_TRY_(return, CONCERTO_CONCAT(result_, __LINE__), declaration, __VA_ARGS__)
/// `CONCERTO_CHECK(expression)`: returns the error of a Result, if there is one.
#define CONCERTO_CHECK(...) CONCERTO_CHECK_(return, __VA_ARGS__)
/// The same two macros for coroutines.
#define CONCERTO_CO_TRY(declaration, ...) \
  CONCERTO_TRY_(co_return, CONCERTO_CONCAT(result_, __LINE__), declaration, __VA_ARGS__)
#define CONCERTO_CO_CHECK(...) CONCERTO_CHECK_(co_return, __VA_ARGS__)
