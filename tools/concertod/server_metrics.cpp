#include "server_metrics.hpp"

#include <algorithm>
#include <array>
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
  // Dashboards look for the reference's names of labels.
  metrics.gauge("dtm_server_info", "Information on the build",
                {{"gin_version", "none"}, {"grpc_version", "none"}}, 1);
  metrics.gauge("concerto_info", "Information on the build",
                {{"allocator", allocator()}, {"version", CONCERTO_VERSION}}, 1);
  metrics.gauge("concerto_ready", "1 while /readyz answers with 200", {}, sources.ready ? 1 : 0);
  metrics.gauge("concerto_paused",
                "1 after a start with --paused, until an operator lets the coordinator begin", {},
                sources.coordinator.is_paused() ? 1 : 0);
  if (sources.newest_backup) {
    metrics.gauge("concerto_backup_newest_timestamp_seconds",
                  "When the newest backup in Backup.Directory was begun, in seconds since 1970", {},
                  seconds(sources.newest_backup->time_since_epoch()));
  }
  metrics.gauge("concerto_shards", "Threads that serve requests and transactions", {},
                static_cast<double>(sources.shards.size()));
  metrics.counter("concerto_wrong_tokens_total", "Tokens of clients that were not accepted", {},
                  static_cast<double>(sources.wrong_tokens.count()));
  metrics.counter("concerto_audit_unrecorded_total",
                  "Refused attempts and actions of operators that have no record in the audit log",
                  {}, static_cast<double>(sources.audit_unrecorded));
  for (const auto& [kind, count] : {std::pair{"requests", sources.limiter.refused_requests()},
                                    std::pair{"bytes", sources.limiter.refused_bytes()},
                                    std::pair{"connections", sources.refused_connections}}) {
    metrics.counter(
        "concerto_limited_requests_total",
        "Requests and connections that were refused because their client sends too much",
        {{"kind", kind}}, static_cast<double>(count));
  }
  for (const CertificateExpiry& expiry : sources.certificates.expiries()) {
    metrics.gauge("concerto_tls_certificate_expiry_timestamp_seconds",
                  "When a certificate of this coordinator is over, in seconds since 1970",
                  {{"use", expiry.use}}, static_cast<double>(expiry.at_s));
  }
}

void collect_spans(const TraceExport& traces, MetricSet& metrics) {
  for (const auto& [result, count] :
       {std::pair{"exported", traces.exported()}, std::pair{"failed", traces.failed()},
        std::pair{"dropped", traces.dropped()}}) {
    metrics.counter("concerto_trace_spans_total",
                    "Spans that the collector took, that it did not take, and that there was no "
                    "room for",
                    {{"result", result}}, static_cast<double>(count));
  }
}

void collect_unfinished(const std::array<std::size_t, trans_types>& by_type, const ModeTable& modes,
                        MetricSet& metrics) {
  for (const Mode* mode : modes.all()) {
    const auto count = static_cast<double>(by_type[static_cast<std::size_t>(mode->type)]);
    metrics.gauge("concerto_transactions_unfinished",
                  "Unfinished transactions, of all coordinators that share the store",
                  {{"model", mode->name}}, count);
    metrics.gauge("concerto_transactions_in_flight", "As concerto_transactions_unfinished",
                  {{"model", mode->name}}, count);
  }
}

void collect_oldest(std::optional<WallTime> oldest, WallTime now, MetricSet& metrics) {
  metrics.gauge("concerto_oldest_unfinished_age_seconds",
                "Age of the oldest unfinished transaction that waits, in a shared store of the "
                "oldest unfinished one",
                {}, oldest && *oldest < now ? seconds(now - *oldest) : 0);
}

/// What the store has counted of all coordinators. Nothing before it has.
void collect_backlog(const BacklogWatch::Counted& counted, const MetricSources& sources,
                     MetricSet& metrics) {
  collect_unfinished(counted.backlog.by_type, sources.coordinator.modes(), metrics);
  collect_oldest(counted.backlog.oldest, sources.clock.wall_now(), metrics);
  metrics.gauge("concerto_backlog_age_seconds",
                "How long ago the unfinished transactions of the shared store were counted", {},
                seconds(sources.clock.steady_now() - counted.at));
  metrics.gauge("concerto_backlog_complete",
                "0 if the shared store has more unfinished transactions than are counted", {},
                counted.backlog.is_complete ? 1 : 0);
}

/// The unfinished transactions: this process knows those of a store of its own, once it has read
/// them. What is not known yet is left out.
Task<void> collect_all_unfinished(const MetricSources& sources, MetricSet& metrics) {
  if (sources.backlog == nullptr) {
    if (!sources.recovered) co_return;
    collect_unfinished(sources.coordinator.in_flight().unfinished, sources.coordinator.modes(),
                       metrics);
    const auto oldest = co_await sources.coordinator.oldest_unfinished();
    collect_oldest(oldest, sources.clock.wall_now(), metrics);
    co_return;
  }
  const auto counted =
      co_await on_shard(sources.shards.front()->executor(), sources.backlog->last());
  if (counted) collect_backlog(*counted, sources, metrics);
}

void collect_in_flight(const InFlight& now, MetricSet& metrics) {
  metrics.gauge("concerto_transactions_in_memory", "Transactions in work", {},
                static_cast<double>(now.live));
  metrics.gauge("concerto_payload_bytes_in_memory", "Payload bytes of transactions in work", {},
                static_cast<double>(now.bytes));
  metrics.gauge("concerto_alarms", "Transactions with an alarm: they wait for a time", {},
                static_cast<double>(now.alarms));
  metrics.gauge("concerto_transactions_parked", "As concerto_alarms", {},
                static_cast<double>(now.alarms));
  metrics.gauge("concerto_transactions_queued",
                "Transactions whose time has come and that wait for room at their target", {},
                static_cast<double>(now.queued));
  metrics.gauge("concerto_transactions_damaged",
                "Unfinished transactions of which branches or custom_data are damaged", {},
                static_cast<double>(now.damaged));
  metrics.gauge("concerto_recovery_lag_seconds",
                "How long the transaction whose time has come first waits to be looked at", {},
                seconds(now.lag));
}

/// The targets for which most transactions wait. All others share one label.
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

void collect_store(const Store& store, MetricSet& metrics) {
  using State = StoreHealth::State;
  const State now = store.health().state;
  for (const State state : {State::serving, State::refusing, State::recovering, State::failed}) {
    metrics.gauge("concerto_store_state", "1 for the state that the store is in",
                  {{"state", to_string(state)}}, state == now ? 1 : 0);
  }
  metrics.gauge("concerto_store_failed", "1 after a failed write: the store takes no more", {},
                now == State::failed ? 1 : 0);
  const std::string prefix = "concerto_store_";
  const StoreNumbers counted = store.numbers();
  for (const StoreNumber& number : counted.numbers) {
    const std::string name = prefix + std::string(number.name);
    if (number.kind == StoreNumber::Kind::counter) {
      metrics.counter(name, number.help, {}, number.value);
    } else {
      metrics.gauge(name, number.help, {}, number.value);
    }
  }
  for (const StoreHistogram& histogram : counted.histograms) {
    metrics.histogram(prefix + std::string(histogram.name), histogram.help, {}, histogram.bounds,
                      histogram.counts, histogram.sum);
  }
}

}  // namespace

Task<std::string> metrics_text(MetricSources sources) {
  MetricSet metrics;
  collect_server(sources, metrics);
  if (sources.traces != nullptr) collect_spans(*sources.traces, metrics);
  collect_process(metrics);
  for (const auto& shard : sources.shards) {
    co_await on_shard(shard->executor(), visit(*shard, metrics));
  }
  co_await on_shard(sources.shards.front()->executor(),
                    visit_registration(sources.registered, metrics));
  collect_in_flight(sources.coordinator.in_flight(), metrics);
  const auto waiting = co_await sources.coordinator.waiting_by_target();
  collect_waiting(waiting, metrics);
  collect_store(sources.store, metrics);
  co_await collect_all_unfinished(sources, metrics);
  co_return metrics.text();
}

}  // namespace concerto::tools
