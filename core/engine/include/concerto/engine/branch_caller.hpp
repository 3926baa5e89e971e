#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/error.hpp>
#include <concerto/engine/trace.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

struct Mode;

/// What the end of a call to a service means (protocol page 01, section 5).
enum class Outcome : std::uint8_t {
  success,
  failure,  ///< the service did not and will not do its part
  ongoing,  ///< the service is not finished; ask again
  error,    ///< anything else, such as a timeout; the service may have done its part
};

CONCERTO_EXPORT std::string_view to_string(Outcome outcome) noexcept;

/// One call to a service. The views refer to a transaction that stays in place until the call
/// returns.
struct BranchCall {
  const Gid* gid = nullptr;
  const Mode* mode = nullptr;  ///< that of the transaction; never null
  Protocol protocol = Protocol::http;
  std::string_view branch_id;
  std::string_view op;
  std::string_view url;
  std::string_view payload;
  const std::map<std::string, std::string>* headers = nullptr;  ///< branch_headers; never null
  SteadyTime deadline;
  /// Of a recorded trace: what the call says in place of the `traceparent` of `headers`, so that
  /// what the service records is below this attempt. Null: `headers` are sent as they are.
  const TraceParent* trace = nullptr;
};

struct BranchReply {
  Outcome outcome = Outcome::error;
  /// After a failure: the text of the service, ending in FAILURE (see with_failure_suffix). After
  /// an error: what went wrong, with the code of the transport. Otherwise empty.
  Error error;
  /// After an error: a longer text for logs and the journal, if there is more to say than `error`
  /// shows to clients.
  std::string full_text = {};
};

/// Limit of the numbers that BranchCaller::way_of returns.
inline constexpr unsigned call_ways_max = 4;

/// Calls services. Each shard has one and uses it on its own thread.
class CONCERTO_EXPORT BranchCaller {
 public:
  virtual ~BranchCaller() = default;

  /// Calls the service and waits for its answer, until `call.deadline` at most. If the task of the
  /// caller is cancelled, the call ends soon with Outcome::error. An exception counts as
  /// Outcome::error: the call is made again later. The coordinator makes no call to an empty URL:
  /// that counts as a success.
  virtual Task<BranchReply> call(BranchCall call) = 0;

  /// The kind of transport that a call to `url` uses, as a number below call_ways_max. Error
  /// invalid_request: such a call can never be sent, whichever service there is; the text says why.
  /// On any thread.
  virtual Result<unsigned> way_of(Protocol /*protocol*/, std::string_view /*url*/) const {
    return 0U;
  }
  /// Whether calls of this kind can carry the gid, branch_id, op and headers of `call`. Error
  /// invalid_request names what they cannot carry. On any thread.
  virtual Result<> can_carry(unsigned /*way*/, const BranchCall& /*call*/) const { return ok(); }
  /// Whether a JSON-RPC call to `url` can carry this payload. Error invalid_request says why not.
  /// On any thread.
  virtual Result<> takes_rpc_payload(std::string_view /*url*/, std::string_view /*payload*/) const {
    return ok();
  }
};

/// The target of a call, as a part of `url`: scheme, host and port. In the URL of a registry
/// (`etcd://hosts/stock.rpc/pb.Stock/Deduct`) the name of the service belongs to the target too.
CONCERTO_EXPORT std::string_view call_target(std::string_view url) noexcept;

/// `text`, with a blank and FAILURE appended unless it ends so already (protocol page 01, section
/// 5.1).
CONCERTO_EXPORT std::string with_failure_suffix(std::string_view text);

}  // namespace concerto
