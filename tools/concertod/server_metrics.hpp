#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/store.hpp>

#include "shard.hpp"

namespace concerto::tools {

/// Where the numbers of `/api/metrics` come from. Everything outlives the scrapes.
struct MetricSources {
  const std::vector<std::unique_ptr<Shard>>& shards;
  Coordinator& coordinator;
  const Store& store;
  const Clock& clock;
  /// Whether the address is published; nullopt without a registry. Called on the first shard.
  std::function<std::optional<bool>()> registered;
};

/// The metrics of the reference (protocol page 02, section 10) and our own, as text. Visits the
/// shards one after the other.
Task<std::string> metrics_text(MetricSources sources);

}  // namespace concerto::tools
