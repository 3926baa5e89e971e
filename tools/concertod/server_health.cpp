// What the probes and the log say of a server.

#include <concerto/base/counted.hpp>

#include "readiness.hpp"
#include "server.hpp"
#include "server_metrics.hpp"

namespace concerto::tools {

OpsPages::Sources Server::ops_sources() {
  OpsPages::Sources sources;
  sources.metrics = [this] {
    return metrics_text({shards_, *coordinator_, store_, clock_,
                         [this] {
                           std::optional<bool> is_registered;
                           if (registration_) is_registered = registration_->registered();
                           return is_registered;
                         },
                         backlog_watch_.get(), wrong_tokens_, limiter_,
                         client_connections_->refused_count() + admin_connections_->refused_count(),
                         certificates_, traces_.get(), audit_ != nullptr ? audit_->unrecorded() : 0,
                         recovered_.load(), why_not_ready(store_.health().reasons).empty(),
                         backup_pages_.newest()});
  };
  sources.not_live = [this] { return why_not_live(); };
  sources.not_ready = [this](bool for_operator) {
    const StoreHealth health = store_.health();
    return why_not_ready(for_operator ? shown(health.reasons) : store_state_for_log(health));
  };
  sources.warnings = [this](bool for_operator) {
    std::vector<std::string> warnings = shown(store_.health().warnings);
    if (!for_operator && !warnings.empty()) {
      warnings = {"the store has warnings, which the log tells"};
    }
    std::string of_audit = for_operator && audit_ != nullptr ? audit_->trouble() : std::string();
    if (!of_audit.empty()) warnings.push_back(std::move(of_audit));
    const std::size_t damaged = for_operator ? coordinator_->damaged_count() : 0;
    if (damaged > 0) {
      warnings.push_back(counted(damaged, "record") +
                         " of the store cannot be read or used and wait for an operator: concerto "
                         "list --damaged");
    }
    return warnings;
  };
  if (config_.admin.console) sources.admin_base = config_.admin_base_path;
  sources.backups = &backup_pages_;
  sources.node = [this] { return store_.node(); };
  sources.paused = [this] { return coordinator_->is_paused(); };
  sources.metrics_role = role_for(config_.auth.metrics);
  return sources;
}

std::vector<std::string> Server::why_not_live() const {
  constexpr std::chrono::seconds silence_max{10};
  std::vector<std::string> reasons;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const auto silence = shards_[i]->heartbeat().silence(clock_.steady_now());
    if (silence < silence_max) continue;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(silence).count();
    reasons.push_back("shard " + std::to_string(i) + " has not run for " + std::to_string(seconds) +
                      " seconds");
  }
  return reasons;
}

/// The store's words without the secrets of the configuration: a database may repeat them.
std::vector<std::string> Server::shown(std::vector<std::string> of_store) const {
  for (std::string& text : of_store) text = log_.masked(text);
  return of_store;
}

std::vector<std::string> Server::why_not_ready_for_log() const {
  const StoreHealth health = store_.health();
  const bool is_on_server = backlog_watch_ != nullptr;
  return why_not_ready(is_on_server ? store_state_for_log(health) : health.reasons);
}

std::vector<std::string> Server::why_not_ready(const std::vector<std::string>& of_store) const {
  constexpr std::chrono::seconds lag_max{10};
  std::vector<std::string> reasons = why_not_live();
  if (stopping_.load()) reasons.emplace_back("the process is stopping");
  if (shortage_.is_recent()) {
    reasons.push_back("no file descriptor is free (RLIMIT_NOFILE): " +
                      counted(shortage_.refused(), "connection") +
                      (shortage_.refused() == 1 ? " was" : " were") + " refused so far");
  }
  reasons.insert(reasons.end(), of_store.begin(), of_store.end());
  if (coordinator_->is_paused()) {
    reasons.emplace_back("started paused, until POST /api/concerto/begin");
  }
  if (!recovered_.load()) {
    reasons.emplace_back("unfinished transactions are still being read from the store");
  }
  if (const auto lag = coordinator_->in_flight().lag; lag > lag_max) {
    reasons.push_back(
        "recovery is behind by " +
        std::to_string(std::chrono::duration_cast<std::chrono::seconds>(lag).count()) + " seconds");
  }
  return reasons;
}

}  // namespace concerto::tools
