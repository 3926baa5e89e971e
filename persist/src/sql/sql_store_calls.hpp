#pragma once

#include "sql_store.hpp"

/// How SqlStore runs calls on its thread. Only its own source files include this.
namespace concerto::persist {

template <class T>
Result<T> SqlStore::wait_for(Async<T> task) {
  auto promise = std::make_shared<std::promise<Result<T>>>();
  std::future<Result<T>> answer = promise->get_future();
  asio::co_spawn(io_, std::move(task), [promise](const std::exception_ptr& error, auto result) {
    if (error) {
      promise->set_exception(error);
    } else {
      promise->set_value(std::move(result));
    }
  });
  return answer.get();
}

template <class T>
Async<T> SqlStore::on_connection(std::function<Async<T>(SqlConnection&)> call, Repeat repeat) {
  constexpr int attempts_max = 3;
  constexpr std::chrono::seconds tries_time_max{3};
  const SteadyTime again_until = clock_.steady_now() + tries_time_max;
  for (int attempt = 1;; ++attempt) {
    if (closing_) co_return make_error(EngineErrc::store_unavailable, "the store is closed");
    Result<SqlLease> lease = co_await pool_.acquire();
    if (!lease) co_return store_error(lease.error());
    Result<T> result = co_await call(**lease);
    if (result) co_return result;
    Error error = std::move(result).error();
    if (error.code == SqlErrc::answer_lost && repeat == Repeat::yes) {
      error.code = SqlErrc::not_now;
    }
    const bool may_pass = error.code == SqlErrc::rolled_back || error.code == SqlErrc::not_now;
    const bool has_time = attempt < attempts_max && clock_.steady_now() < again_until;
    if (!may_pass || !has_time) co_return store_error(error);
  }
}

}  // namespace concerto::persist
