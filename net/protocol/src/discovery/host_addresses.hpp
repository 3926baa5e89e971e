#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/protocol/target_scheme.hpp>
#include <concerto/transport/host_resolver.hpp>

namespace concerto::net {

/// How the policy about targets calls a service over gRPC, and a registry.
inline constexpr std::string_view grpc_scheme = "grpc";
inline constexpr std::string_view etcd_scheme_name = "etcd";

/// The addresses of a list of hosts, whose names are looked up. Addresses that the policy about
/// targets refuses are left out; if there is no other, the error says so.
///
/// Names are looked up when they are added, again every 30 s, and at `refresh` if the last look-up
/// began at least a second ago. A failed look-up is repeated with growing pauses, and the addresses
/// of an earlier one stay in use. Close it before its destruction, and after the channels that
/// listen to it.
class HostAddresses : public TargetAddresses {
 public:
  static constexpr std::chrono::seconds lookup_interval{30};
  static constexpr std::chrono::seconds lookup_interval_min{1};

  /// `scheme`: what the policy about targets is asked for. `whose`: what the error of a refusal
  /// begins with where clients may not know the hosts, as "the addresses of 'a.rpc' in etcd are".
  explicit HostAddresses(const DiscoveryShard& shard, std::string_view scheme = grpc_scheme,
                         std::string whose = {});

  /// Replaces the list of hosts.
  void set_hosts(std::vector<HostPort> hosts);

  /// Removes all hosts; `reason` says why there is none.
  void set_unavailable(Error reason);

  bool has_hosts() const noexcept { return !hosts_.empty(); }

  /// The policy about targets refuses all known addresses.
  bool is_refused() const noexcept { return is_refused_; }

  void refresh() override;
  void targets_changed() override;

  Task<void> close() override { return tasks_.close(); }

 private:
  struct Lookup {
    HostAddressList found;
    Error error;
    SteadyTime begun;
    SteadyTime due;  ///< time of the next look-up, unless one is running
    unsigned failure_count = 0;
    bool running = false;
    bool ended_once = false;
  };

  Task<void> look_up(std::string host);
  void take(Lookup& lookup, Result<HostAddressList> found);
  void begin_due();
  void publish_known();
  Result<> check(const HostPort& host, const asio::ip::address& address) const;

  DiscoveryShard shard_;
  const std::string_view scheme_;
  const std::string whose_;
  bool is_refused_ = false;
  std::vector<HostPort> hosts_;
  std::map<std::string, Lookup> lookups_;  ///< for the names among hosts_
  Timer next_due_;
  TaskGroup tasks_;
};

}  // namespace concerto::net
