#pragma once

#include <concerto/base/export.hpp>
#include <concerto/base/random_source.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/transport/http_client.hpp>

namespace concerto::net {

/// Calls HTTP and JSON-RPC branches (protocol page 04, sections 2 and 4). The outcomes are those of
/// page 01, section 5. Their texts are the bodies of the answers, cut at error_text_bytes_max.
class CONCERTO_EXPORT HttpBranchCaller final : public BranchCaller {
 public:
  static constexpr std::size_t error_text_bytes_max = 4096;

  /// Both must outlive the caller.
  HttpBranchCaller(HttpClient& client, RandomSource& random) : client_(client), random_(random) {}

  Task<BranchReply> call(BranchCall call) override;
  Result<unsigned> way_of(Protocol protocol, std::string_view url) const override;
  Result<> can_carry(unsigned way, const BranchCall& call) const override;
  Result<> takes_rpc_payload(std::string_view url, std::string_view payload) const override;

 private:
  Result<> check_host(const std::string& name, const std::string& value,
                      std::string_view url) const;

  HttpClient& client_;
  RandomSource& random_;
};

}  // namespace concerto::net
