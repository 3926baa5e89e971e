#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace concerto::tools {

/// How the file descriptors of the process are shared out at its start, so that none of their
/// users can take those of another: above all not those of the store.
struct DescriptorPlan {
  std::size_t clients_max = 0;              ///< connections of clients, both ports together
  std::size_t clients_room = 0;             ///< what is left for them beside all others
  std::size_t http_calls_max = 0;           ///< connections to HTTP services, of each shard
  std::size_t http_calls_per_host_max = 0;  ///< of these, to one service
  std::size_t grpc_calls_max = 0;           ///< connections to gRPC services, all shards together
  std::optional<std::string> warning;       ///< what was configured does not fit
};

/// `limit`: descriptors that the process may have (RLIMIT_NOFILE). `connections_max`: as
/// configured, for each port.
DescriptorPlan plan_descriptors(std::size_t limit, std::size_t shards, std::size_t connections_max);

/// `plan` after a change of MaxConnections in a running process, where calls to services keep what
/// the start gave them.
DescriptorPlan with_connections(DescriptorPlan plan, std::size_t connections_max);

/// The limit in force, after raising it to what the system allows.
std::size_t raise_descriptor_limit();

}  // namespace concerto::tools
