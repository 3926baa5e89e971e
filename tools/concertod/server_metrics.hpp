#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/store.hpp>

#include "backlog_watch.hpp"
#include "certificate_expiry.hpp"
#include "shard.hpp"
#include "trace_export.hpp"

namespace concerto::tools {

/// The sources of the numbers in `/api/metrics`. All of them must outlive the scrapes.
struct MetricSources {
  const std::vector<std::unique_ptr<Shard>>& shards;
  Coordinator& coordinator;
  const Store& store;
  const Clock& clock;
  /// Whether the address is registered; nullopt without a registry. Called on the first shard.
  std::function<std::optional<bool>()> registered;
  BacklogWatch* backlog;  ///< null if no other coordinator can share the store
  const net::WrongTokens& wrong_tokens;
  const net::RequestLimiter& limiter;
  std::uint64_t refused_connections;  ///< because their client has too many
  const CertificateWatch& certificates;
  const TraceExport* traces;       ///< null: nothing is recorded
  std::uint64_t audit_unrecorded;  ///< records that were not written
  bool recovered;  ///< this process knows all unfinished transactions of its own store
  bool ready;      ///< `/readyz` answers with 200
  std::optional<WallTime> newest_backup;
};

/// The metrics of the reference (protocol page 02, section 10) and our own, as text. Reads the
/// shards one after the other.
Task<std::string> metrics_text(MetricSources sources);

}  // namespace concerto::tools
