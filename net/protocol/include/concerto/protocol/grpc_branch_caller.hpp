#pragma once

#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/protocol/target_channels.hpp>

namespace concerto::net {

/// Calls gRPC branches (protocol page 04, section 3): the payload is sent unchanged as the request
/// message, and gid, branch_id and op are sent as metadata.
///
/// A call with a wrong URL, or with headers that gRPC cannot carry, ends in Outcome::error, and
/// nothing is sent. Each shard has its own caller and uses it alone.
class CONCERTO_EXPORT GrpcBranchCaller final : public BranchCaller {
 public:
  /// `channels` must outlive the caller.
  explicit GrpcBranchCaller(TargetChannels& channels) : channels_(channels) {}

  Task<BranchReply> call(BranchCall call) override;
  Result<unsigned> way_of(Protocol protocol, std::string_view url) const override;
  Result<> can_carry(unsigned way, const BranchCall& call) const override;

 private:
  TargetChannels& channels_;
};

}  // namespace concerto::net
