#pragma once

#include <string>
#include <variant>
#include <vector>

#include <concerto/engine/request.hpp>

#include "call_ledger.hpp"
#include "options.hpp"

namespace concerto::load {

enum class Api { prepare, submit, register_branch, prepare_workflow };

/// A request without its gid. What it holds fits its API: a branch for register_branch.
struct Request {
  Api api;
  std::variant<TransRequest, BranchRequest> content;
};

/// What every transaction of a load is: the requests that make it, and which end it must have.
struct Scenario {
  std::vector<Request> requests;  ///< one after the other
  bool ends_with_reply = false;   ///< the answer to the last request says that it succeeded
  std::string final_op;           ///< of the branches that `query` must show as succeeded,
  std::size_t branch_count = 0;   ///< and how many of these there are at least
};

/// `branches` and `query_prepared` are URLs.
Scenario make_scenario(const LoadOptions& options, const std::vector<BranchUrls>& branches,
                       const std::string& query_prepared);

/// What the branches of a transaction that succeeds must hear from the coordinator.
std::vector<ExpectedCall> required_calls(Mode mode, std::size_t branch_count);

}  // namespace concerto::load
