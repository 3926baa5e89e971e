#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::client {

namespace detail {
class Core;
}  // namespace detail

/// A saga: actions in turn, and compensations if an action fails. Made by Client::saga.
class CONCERTO_EXPORT Saga {
 public:
  Saga(detail::Core& core, std::string gid);

  const std::string& gid() const noexcept { return request_.gid.str(); }

  /// `wait_result`, timeouts, headers and the like.
  TransOptions options;

  /// Adds a step. `payload` is the body of both calls: JSON over HTTP, the bytes of a message over
  /// gRPC. An empty URL means that there is nothing to do.
  Saga& add(std::string action, std::string compensate, std::string payload);

  /// Actions begin at once, except those that `add_branch_order` holds back.
  Saga& concurrent();
  /// For a concurrent saga: step `branch` begins after the steps `earlier`, all counted from 0.
  Saga& add_branch_order(std::size_t branch, std::vector<std::size_t> earlier);

  /// Returns when the coordinator has stored the saga; with `wait_result`, when it has succeeded.
  /// The saga may be gone meanwhile.
  Async<> submit() const;

 private:
  detail::Core& core_;
  mutable TransRequest request_;  ///< a submit adds the options, instead of copying all of it
  bool concurrent_ = false;
  std::map<std::size_t, std::vector<std::size_t>> orders_;
};

}  // namespace concerto::client
