#pragma once

#include <string>
#include <string_view>

#include <concerto/base/export.hpp>
#include <concerto/engine/branch_caller.hpp>

namespace concerto::net {

/// The ways in which a branch is called (protocol page 04, section 1).
enum class BranchTransport { none, http, json_rpc, grpc };

CONCERTO_EXPORT BranchTransport branch_transport(Protocol protocol, std::string_view url) noexcept;

/// `url` with its first `localhost` and its first `127.0.0.1` replaced by host.docker.internal
/// (protocol page 04, section 7).
CONCERTO_EXPORT std::string with_docker_host(std::string_view url);

/// Whether the environment asks for with_docker_host: IS_DOCKER is set and not empty.
CONCERTO_EXPORT bool docker_host_wanted();

/// Passes each call to the caller for the call's transport. A call with an empty URL succeeds at
/// once and is not made.
class CONCERTO_EXPORT BranchDispatcher final : public BranchCaller {
 public:
  /// The callers must outlive the dispatcher. `http` makes the JSON-RPC calls too.
  BranchDispatcher(BranchCaller& http, BranchCaller& grpc, bool docker_host)
      : http_(http), grpc_(grpc), docker_host_(docker_host) {}

  Task<BranchReply> call(BranchCall call) override;
  /// The way is the number of the call's BranchTransport.
  Result<unsigned> way_of(Protocol protocol, std::string_view url) const override;
  Result<> can_carry(unsigned way, const BranchCall& call) const override;
  Result<> takes_rpc_payload(std::string_view url, std::string_view payload) const override;

 private:
  const BranchCaller& caller_of(BranchTransport transport) const noexcept;

  Task<BranchReply> call_in_docker(BranchCall call);
  Task<BranchReply> pass_on(BranchCall call);

  BranchCaller& http_;
  BranchCaller& grpc_;
  bool docker_host_;
};

}  // namespace concerto::net
