#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/engine/error.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

struct Mode;

/// The defined results of a call to a branch (protocol page 01, section 5).
enum class Outcome : std::uint8_t {
  success,
  failure,  ///< the branch did not and will not do it
  ongoing,  ///< not finished; ask again
  error,    ///< anything else, connection errors and timeouts included: it may have happened
};

std::string_view to_string(Outcome outcome) noexcept;

/// One call to a branch service. The views refer to a transaction that stays in place until the
/// call returns.
struct BranchCall {
  const Gid* gid = nullptr;
  const Mode* mode = nullptr;  ///< of the transaction; never null
  Protocol protocol = Protocol::http;
  std::string_view branch_id;
  std::string_view op;
  std::string_view url;
  std::string_view payload;
  const std::map<std::string, std::string>* headers = nullptr;  ///< branch_headers; never null
  SteadyTime deadline;
};

struct BranchReply {
  Outcome outcome = Outcome::error;
  /// With failure: the text with ` FAILURE` appended once. With error: what went wrong, with the
  /// code of the transport. Empty otherwise.
  Error error;
  /// With error: what logs and the journal say where that is more than the error's text, which the
  /// protocol shows to clients.
  std::string full_text = {};
};

inline constexpr unsigned call_ways_max = 4;

/// Calls branch services. One per shard; used on that shard only.
class BranchCaller {
 public:
  virtual ~BranchCaller() = default;

  /// Ends by `call.deadline`. When the caller's task is cancelled the call ends soon with
  /// Outcome::error. An empty URL is never called: the coordinator takes it as a success.
  virtual Task<BranchReply> call(BranchCall call) = 0;

  /// Which way a call to `url` takes, as a number below call_ways_max. Error invalid_request: no
  /// such call could be sent, whoever listens; the text says why. On any thread.
  virtual Result<unsigned> way_of(Protocol /*protocol*/, std::string_view /*url*/) const {
    return 0U;
  }
  /// Whether calls that go this way can have gid, branch_id, op and headers of `call`. Error
  /// invalid_request names what they cannot have. On any thread.
  virtual Result<> can_carry(unsigned /*way*/, const BranchCall& /*call*/) const { return ok(); }
  /// Whether a JSON-RPC call to `url` can have this payload. Error invalid_request says why not.
  /// On any thread.
  virtual Result<> takes_rpc_payload(std::string_view /*url*/, std::string_view /*payload*/) const {
    return ok();
  }
};

/// The service that a branch URL belongs to: scheme, host and port, and of a registry's URL
/// (`etcd://hosts/stock.rpc/pb.Stock/Deduct`) the service's name too. A part of `url`.
std::string_view call_target(std::string_view url) noexcept;

/// `text` with ` FAILURE` appended exactly once (protocol page 01, section 5.1).
std::string with_failure_suffix(std::string_view text);

}  // namespace concerto
