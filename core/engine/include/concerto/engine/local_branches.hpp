#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>

namespace concerto {

/// A call to a branch of this process. The views are valid until the function has returned, and
/// until its coroutine has ended.
struct LocalCall {
  std::string_view gid;
  std::string_view branch_id;
  std::string_view op;
  std::string_view payload;
  const std::map<std::string, std::string>* headers = nullptr;  ///< branch_headers; never null
  SteadyTime deadline;
};

/// The answer of a branch that did not and will not do its part. The transaction rolls back.
CONCERTO_EXPORT BranchReply local_failure(std::string_view why);

namespace detail {

inline BranchReply to_reply(Outcome outcome) {
  BranchReply reply;
  reply.outcome = outcome;
  return reply;
}
inline BranchReply to_reply(BranchReply reply) {
  return reply;
}

template <class T>
constexpr bool is_awaitable = false;
template <class T>
constexpr bool is_awaitable<asio::awaitable<T>> = true;

/// Calls a branch that is a coroutine. The coroutine may take its call by reference: `call` is here
/// until it has ended.
template <class F>
asio::awaitable<BranchReply> reply_of(F& function, LocalCall call) {
  auto branch = function(call);
  if constexpr (std::is_void_v<typename decltype(branch)::value_type>) {
    co_await std::move(branch);
    co_return to_reply(Outcome::success);
  } else {
    auto returned = co_await std::move(branch);
    co_return to_reply(std::move(returned));
  }
}

}  // namespace detail

/// The branches of a process that are functions of it, by name. A step whose URL is that name calls
/// the function, without network.
///
/// A function takes a LocalCall and returns nothing (a success), an Outcome or a BranchReply (see
/// local_failure); or it is a coroutine, an asio::awaitable<> of one of these. An exception counts
/// as Outcome::error: the call is made again later. As every branch, it may be called again after
/// it has done its part.
///
/// Functions run on the executor of the EmbeddedCoordinator; if several threads run that one,
/// several calls may run at a time. A function that is no coroutine does not block. A coroutine
/// that has not ended at `deadline`, or when the coordinator ends, is cancelled and no longer
/// waited for.
class CONCERTO_EXPORT LocalBranches {
 public:
  using Function = std::function<BranchReply(const LocalCall&)>;
  using Coroutine = std::function<asio::awaitable<BranchReply>(LocalCall)>;

  struct Branch {
    Function function;
    Coroutine coroutine;  ///< empty, or `function` is
  };

  /// The function takes the place of one with the same name.
  template <class F>
  LocalBranches& add(std::string name, F function) {
    using Returned = std::invoke_result_t<F&, LocalCall&>;
    Branch branch;
    if constexpr (detail::is_awaitable<Returned>) {
      branch.coroutine = [function = std::move(function)](LocalCall call) mutable {
        return detail::reply_of(function, call);
      };
    } else if constexpr (std::is_void_v<Returned>) {
      branch.function = [function = std::move(function)](const LocalCall& call) mutable {
        function(call);
        return detail::to_reply(Outcome::success);
      };
    } else {
      static_assert(std::is_same_v<Returned, Outcome> || std::is_same_v<Returned, BranchReply>,
                    "a branch returns void, Outcome, BranchReply, or an asio::awaitable<> of one");
      branch.function = [function = std::move(function)](const LocalCall& call) mutable {
        return detail::to_reply(function(call));
      };
    }
    return add_branch(std::move(name), std::move(branch));
  }

  /// Calls to other URLs go to `others`, which outlives the coordinator. Without it they are
  /// refused.
  LocalBranches& otherwise(BranchCaller& others) noexcept {
    others_ = &others;
    return *this;
  }

  /// nullptr if no function has the name.
  const Branch* find(std::string_view name) const noexcept;
  BranchCaller* others() const noexcept { return others_; }

 private:
  LocalBranches& add_branch(std::string name, Branch branch);

  std::map<std::string, Branch, std::less<>> branches_;
  BranchCaller* others_ = nullptr;
};

}  // namespace concerto
