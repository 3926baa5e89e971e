#pragma once

#include <concerto/engine/branch_caller.hpp>
#include <concerto/protocol/target_channels.hpp>

namespace concerto::net {

/// Calls gRPC branches (protocol page 04, section 3): the payload is the request message as it is,
/// the call's identity travels as metadata.
///
/// Wrong URLs and headers that gRPC cannot carry are Outcome::error, nothing is sent then. One per
/// shard, used on that shard only.
class GrpcBranchCaller final : public BranchCaller {
 public:
  /// `channels` must outlive this object.
  explicit GrpcBranchCaller(TargetChannels& channels) : channels_(channels) {}

  Task<BranchReply> call(BranchCall call) override;
  Result<unsigned> way_of(Protocol protocol, std::string_view url) const override;
  Result<> can_carry(unsigned way, const BranchCall& call) const override;

 private:
  TargetChannels& channels_;
};

}  // namespace concerto::net
