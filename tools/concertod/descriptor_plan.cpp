#include "descriptor_plan.hpp"

#include <algorithm>

#include <sys/resource.h>

#include <concerto/base/counted.hpp>

namespace concerto::tools {
namespace {

/// For each shard: poll, wake-up and timer of its io_context, and 64 connections that were refused
/// and are not closed yet.
constexpr std::size_t own_per_shard = 3 + 64;
/// Lookups of names (net::DnsWorkers::threads_max), each with a socket.
constexpr std::size_t lookups = 64;
/// Standard streams, log files, listeners with their reserves, registries, lookups.
constexpr std::size_t own_of_process = 64 + lookups;
/// The store's open logs, tables and directories: a quarter of the limit, within these bounds.
constexpr std::size_t store_min = 64;
constexpr std::size_t store_max = 4'096;

constexpr std::size_t ports = 2;
constexpr std::size_t http_calls_per_shard = 8'192;
constexpr std::size_t http_calls_per_host = 1'024;
constexpr std::size_t grpc_calls_of_process = 4'096;
/// What each side gets at least, however low the limit is.
constexpr std::size_t side_min = 16;
/// The connections to one service are at most this part of all connections to services.
constexpr std::size_t host_share = 4;

}  // namespace

DescriptorPlan plan_descriptors(std::size_t limit, std::size_t shards, std::size_t connections_max,
                                std::size_t operators) {
  const std::size_t store = std::clamp(limit / 4, store_min, store_max);
  const std::size_t own = own_of_process + own_per_shard * shards + store + operators;
  const std::size_t clients_wanted = ports * connections_max;
  const std::size_t http_wanted = http_calls_per_shard * shards;
  const std::size_t calls_wanted = http_wanted + grpc_calls_of_process;

  const std::size_t left = std::max(limit > own ? limit - own : 0, 2 * side_min);
  // Half is certain for each side. A side also gets what the other one does not want.
  const std::size_t unwanted = left - std::min(left, clients_wanted);
  const std::size_t calls = std::min(calls_wanted, std::max(left / 2, unwanted));
  DescriptorPlan plan;
  plan.clients_room = left - calls;
  plan.clients_max = std::min(clients_wanted, plan.clients_room);
  plan.grpc_calls_max = std::min(grpc_calls_of_process, std::max<std::size_t>(1, calls / 4));
  plan.http_calls_max =
      std::min(http_calls_per_shard,
               std::max<std::size_t>(1, (calls - std::min(calls, plan.grpc_calls_max)) / shards));
  plan.http_calls_per_host_max =
      std::min(http_calls_per_host, std::max<std::size_t>(1, plan.http_calls_max / host_share));
  if (plan.clients_max < clients_wanted || calls < calls_wanted) {
    plan.warning = "the limit of file descriptors (RLIMIT_NOFILE, ulimit -n) is " +
                   std::to_string(limit) + "; MaxConnections (" + std::to_string(connections_max) +
                   ") on two ports, calls to services "
                   "and the store want " +
                   std::to_string(own + clients_wanted + calls_wanted) + ": at most " +
                   counted(plan.clients_max, "connection") + " of clients and " +
                   std::to_string(calls) + " to services can be open at one time";
  }
  return plan;
}

DescriptorPlan with_connections(DescriptorPlan plan, std::size_t connections_max) {
  const std::size_t wanted = ports * connections_max;
  plan.clients_max = std::min(wanted, plan.clients_room);
  plan.warning.reset();
  if (plan.clients_max < wanted) {
    plan.warning = "MaxConnections (" + std::to_string(connections_max) +
                   ") on two ports is more than is left of the file descriptors that were shared "
                   "out at the start: at most " +
                   counted(plan.clients_max, "connection") +
                   " of clients can be open at one time; a restart shares out anew";
  }
  return plan;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace concerto::tools
