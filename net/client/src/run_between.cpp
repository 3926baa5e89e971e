#include "run_between.hpp"

#include <concerto/base/utf8.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::client::detail {
namespace {

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "an exception without a text";
  }
}

}  // namespace

std::string fitting_reason(std::string_view reason) {
  const std::string text = to_utf8(reason);
  reason = text;
  if (reason.size() > rollback_reason_bytes_max) {
    reason = reason.substr(0, rollback_reason_bytes_max);
    for (int bytes = 0; bytes < 4 && !is_utf8(reason); ++bytes) reason.remove_suffix(1);
  }
  return std::string{reason};
}

Async<> run_between(Between steps) {
  CONCERTO_CO_CHECK(co_await steps.prepare());
  Result<> done;
  std::exception_ptr thrown;
  try {
    done = co_await steps.work();
  } catch (...) {
    thrown = std::current_exception();
  }
  if (!thrown && done) co_return co_await steps.submit();
  std::string reason = thrown ? text_of(thrown) : done.error().detail;
  ignore_error(co_await steps.abort(std::move(reason)), "the transaction times out");
  if (thrown) std::rethrow_exception(thrown);
  co_return done;
}

}  // namespace concerto::client::detail
