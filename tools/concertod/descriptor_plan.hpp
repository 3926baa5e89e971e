#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace concerto::tools {

/// How the file descriptors of the process are divided at its start, so that no user can take the
/// descriptors of another, above all not those of the store.
struct DescriptorPlan {
  std::size_t clients_max = 0;     ///< connections of clients, both ports together
  std::size_t clients_room = 0;    ///< descriptors that remain for clients beside all others
  std::size_t http_calls_max = 0;  ///< connections to HTTP services, of each shard
  std::size_t http_calls_per_host_max = 0;  ///< of these, to one service
  std::size_t grpc_calls_max = 0;           ///< connections to gRPC services, all shards together
  std::optional<std::string> warning;       ///< the configured numbers do not fit
};

/// `limit` is the number of descriptors that the process may have (RLIMIT_NOFILE).
/// `connections_max` is the configured number, for each port. `operators` are the connections of an
/// admin port, which nobody else gets.
DescriptorPlan plan_descriptors(std::size_t limit, std::size_t shards, std::size_t connections_max,
                                std::size_t operators = 0);

/// `plan` after a change of MaxConnections in a running process. Calls to services keep the
/// descriptors that they got at the start.
DescriptorPlan with_connections(DescriptorPlan plan, std::size_t connections_max);

/// Raises the limit to the value that the system allows, and returns the limit.
std::size_t raise_descriptor_limit();

}  // namespace concerto::tools
