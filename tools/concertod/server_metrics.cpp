#include "server_metrics.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "metric_set.hpp"
#include "process_metrics.hpp"
#include "trans_probe.hpp"

#ifdef CONCERTO_MIMALLOC
#include <mimalloc.h>
#endif

namespace concerto::tools {
namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

std::string allocator() {
#ifdef CONCERTO_MIMALLOC
  return "mimalloc " + std::to_string(mi_version());  // 209: 2.0.9
#else
  return "system";
#endif
}

Task<void> visit(const Shard& shard, MetricSet& metrics) {
  shard.collect(metrics);
  co_return;
}

Task<void> visit_registration(const std::function<std::optional<bool>()>& registered,
                              MetricSet& metrics) {
  if (const std::optional<bool> is_registered = registered()) {
    metrics.gauge("concerto_registered", "1 while the registry has the address published", {},
                  *is_registered ? 1 : 0);
  }
  co_return;
}

void collect_server(const MetricSources& sources, MetricSet& metrics) {
  // The names of the labels are the reference's; dashboards look for them.
  metrics.gauge("dtm_server_info", "Information on the build",
                {{"gin_version", "none"}, {"grpc_version", "none"}}, 1);
  metrics.gauge("concerto_info", "Information on the build",
                {{"allocator", allocator()}, {"version", CONCERTO_VERSION}}, 1);
  metrics.gauge("concerto_shards", "Threads that serve requests and transactions", {},
                static_cast<double>(sources.shards.size()));
}

void collect_in_flight(const InFlight& now, MetricSet& metrics) {
  for (const TransType type :
       {TransType::saga, TransType::msg, TransType::tcc, TransType::xa, TransType::workflow}) {
    metrics.gauge("concerto_transactions_in_flight", "Unfinished transactions",
                  {{"model", to_string(type)}},
                  static_cast<double>(now.unfinished[static_cast<std::size_t>(type)]));
  }
  metrics.gauge("concerto_transactions_in_memory", "Transactions in work", {},
                static_cast<double>(now.live));
  metrics.gauge("concerto_payload_bytes_in_memory", "Payload bytes of transactions in work", {},
                static_cast<double>(now.bytes));
  metrics.gauge("concerto_transactions_parked", "Transactions that wait for their time", {},
                static_cast<double>(now.parked));
  metrics.gauge("concerto_transactions_queued",
                "Transactions whose time has come and that wait for room at their target", {},
                static_cast<double>(now.queued));
  metrics.gauge("concerto_recovery_lag_seconds",
                "How long the transaction whose time has come first waits to be looked at", {},
                seconds(now.lag));
}

/// The targets that most transactions wait for; all further ones are one label together.
void collect_waiting(const std::map<std::string, std::size_t>& by_target, MetricSet& metrics) {
  std::vector<std::pair<std::size_t, std::string_view>> sorted;
  for (const auto& [target, count] : by_target) sorted.emplace_back(count, target);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const auto& [count, target] = sorted[i];
    const std::string label = i < TransProbe::targets_max ? TransProbe::label_of(target) : "other";
    metrics.gauge("concerto_transactions_waiting",
                  "Unfinished transactions that wait because calls to a target had errors",
                  {{"target", label}}, static_cast<double>(count));
  }
}

void collect_store(const persist::LevelDbStore& store, MetricSet& metrics) {
  const persist::StoreProbe& probe = store.probe();
  const auto gauge = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    metrics.gauge(name, help, {}, static_cast<double>(value));
  };
  const auto counter = [&](std::string_view name, std::string_view help, std::uint64_t value) {
    metrics.counter(name, help, {}, static_cast<double>(value));
  };
  gauge("concerto_store_queue_depth", "Changes that wait to be written", probe.queued_changes);
  gauge("concerto_store_queue_bytes", "Bytes that wait to be written", probe.queued_bytes);
  gauge("concerto_store_disk_bytes", "Bytes of the store's files, of all its segments",
        probe.disk_bytes);
  gauge("concerto_store_failed", "1 after a failed write: the store takes no more",
        store.failed() ? 1 : 0);
  if (const std::uint64_t free = store.free_bytes(); free != UINT64_MAX) {
    gauge("concerto_store_free_bytes", "Room on the disk of the store", free);
  }
  counter("concerto_store_changes_total", "Changes written", probe.changes);
  counter("concerto_store_bytes_total", "Bytes written", probe.bytes);
  counter("concerto_store_refused_total", "New transactions without room", probe.refused);
  counter("concerto_store_disk_reads_total", "Loads that went to the disk", probe.disk_reads);
  counter("concerto_store_segments_dropped_total", "Segments past retention",
          probe.segments_dropped);

  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i < probe.group_sizes.size(); ++i) {
    // Bucket i has sizes below 2^i.
    if (i + 1 < probe.group_sizes.size()) bounds.push_back(static_cast<double>((1U << i) - 1));
    counts.push_back(probe.group_sizes[i]);
  }
  metrics.histogram("concerto_store_group_size", "Changes in a group, which share one sync", {},
                    bounds, counts, static_cast<double>(probe.changes));
  bounds.clear();
  counts.clear();
  // Below 128 us the buckets of the store are finer than anybody needs.
  constexpr std::size_t first_shown = 7;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < probe.sync_times.size(); ++i) {
    below += probe.sync_times[i];
    if (i < first_shown) continue;
    if (i + 1 < probe.sync_times.size()) bounds.push_back(static_cast<double>(1U << i) / 1e6);
    counts.push_back(std::exchange(below, 0));
  }
  metrics.histogram("concerto_store_sync_seconds", "Seconds to write a group and sync it", {},
                    bounds, counts, static_cast<double>(probe.sync_ns) / 1e9);
}

}  // namespace

Task<std::string> metrics_text(MetricSources sources) {
  MetricSet metrics;
  collect_server(sources, metrics);
  collect_process(metrics);
  for (const auto& shard : sources.shards) {
    co_await on_shard(shard->executor(), visit(*shard, metrics));
  }
  co_await on_shard(sources.shards.front()->executor(),
                    visit_registration(sources.registered, metrics));
  collect_in_flight(sources.coordinator.in_flight(), metrics);
  const auto waiting = co_await sources.coordinator.waiting_by_target();
  collect_waiting(waiting, metrics);
  if (sources.store != nullptr) collect_store(*sources.store, metrics);
  const auto oldest = co_await sources.coordinator.oldest_unfinished();
  const WallTime now = sources.clock.wall_now();
  metrics.gauge("concerto_oldest_unfinished_age_seconds",
                "Age of the oldest unfinished transaction that waits", {},
                oldest && *oldest < now ? seconds(now - *oldest) : 0);
  co_return metrics.text();
}

}  // namespace concerto::tools
