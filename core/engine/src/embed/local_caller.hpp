#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>

#include <concerto/base/timers.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/local_branches.hpp>

namespace concerto {

/// Calls the LocalBranches for one shard, and what they leave to others.
class LocalCaller final : public BranchCaller {
 public:
  /// `user` is where the functions run.
  LocalCaller(std::shared_ptr<const LocalBranches> branches, asio::any_io_executor user,
              Executor shard, Timers& timers);

  Task<BranchReply> call(BranchCall call) override;
  Result<unsigned> way_of(Protocol protocol, std::string_view url) const override;
  Result<> can_carry(unsigned way, const BranchCall& call) const override;
  Result<> takes_rpc_payload(std::string_view url, std::string_view payload) const override;
  /// On the thread of the shard.
  bool is_in_function() const noexcept { return functions_ > 0; }

 private:
  Task<BranchReply> call_here(const LocalBranches::Function& function, BranchCall call);
  Task<BranchReply> call_elsewhere(BranchCall call);
  Task<BranchReply> refuse(BranchCall call);

  std::shared_ptr<const LocalBranches> branches_;
  asio::any_io_executor user_;
  Executor shard_;
  Timers& timers_;
  bool runs_here_;     ///< the functions run on the thread of the shard
  int functions_ = 0;  ///< that run now
};

}  // namespace concerto
