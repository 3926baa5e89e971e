#pragma once

#include <string>
#include <variant>
#include <vector>

#include <concerto/engine/request.hpp>

#include "call_ledger.hpp"
#include "options.hpp"

namespace concerto::load {

enum class Api { prepare, submit, abort, register_branch, prepare_workflow };

/// A request without its gid. Its content fits its API: a branch for register_branch.
struct Request {
  Api api;
  std::variant<TransRequest, BranchRequest> content;
};

/// What all transactions of a load have in common: their requests, and the end that they must have.
struct Scenario {
  std::vector<Request> requests;  ///< one after the other
  /// Of a transaction that fails on purpose because its client aborts it. Empty: those fail in a
  /// branch, after the same requests as the others.
  std::vector<Request> to_abort;
  bool ends_with_reply = false;  ///< the answer to the last request means that it succeeded
  std::string final_op;          ///< op of the branches that `query` must show as succeeded
  std::string final_op_back;     ///< the same for a transaction that rolls back
  std::size_t branch_count = 0;  ///< the least number of such branches
};

/// `branches` and `query_prepared` are URLs.
Scenario make_scenario(const LoadOptions& options, const std::vector<BranchUrls>& branches,
                       const std::string& query_prepared);

/// The calls that the coordinator must make.
CallLedger::Required required_calls(LoadMode mode, std::size_t branch_count);

/// The id of a branch by its place, from 0: `01`.
std::string branch_id(std::size_t index);

}  // namespace concerto::load
