#include <utility>

#include <concerto/engine/error.hpp>
#include <concerto/engine/local_branches.hpp>

namespace concerto {

BranchReply local_failure(std::string_view why) {
  BranchReply reply;
  reply.outcome = Outcome::failure;
  reply.error = make_error(EngineErrc::branch_failure, with_failure_suffix(why));
  return reply;
}

const LocalBranches::Branch* LocalBranches::find(std::string_view name) const noexcept {
  const auto found = branches_.find(name);
  return found == branches_.end() ? nullptr : &found->second;
}

LocalBranches& LocalBranches::add_branch(std::string name, Branch branch) {
  branches_.insert_or_assign(std::move(name), std::move(branch));
  return *this;
}

}  // namespace concerto
