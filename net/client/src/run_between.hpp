#pragma once

#include <exception>
#include <functional>
#include <string>
#include <string_view>

#include <concerto/base/async.hpp>

namespace concerto::client::detail {

/// The reason as the coordinator takes it: UTF-8, and not too long.
std::string fitting_reason(std::string_view reason);

/// The steps of a transaction whose work lies between prepare and submit or abort.
struct Between {
  std::function<Async<>()> prepare;
  std::function<Async<>()> work;
  std::function<Async<>()> submit;
  std::function<Async<>(std::string reason)> abort;
};

/// Does them. An error, or an exception, of the work aborts and is passed on.
Async<> run_between(Between steps);

}  // namespace concerto::client::detail
