// What a running server takes over: files that have changed, and what a signal asks for.

#include <chrono>
#include <string>
#include <utility>

#include <boost/asio/use_future.hpp>

#include "audit_log.hpp"
#include "config_changes.hpp"
#include "server.hpp"
#include "store_setup.hpp"

namespace concerto::tools {
namespace {

constexpr std::chrono::seconds look_interval{1};

}  // namespace

void Server::wait_for_hangup() {
  hangups_.async_wait([this](const error_code& failed, int signal) {
    if (failed) return;
    log_.reopen();
    if (audit_ != nullptr) audit_->reopen();
    log_.info("log files are opened anew");
    if (signal == SIGHUP) {
      manager_.reloading(clock_.steady_now());
      reload();
      access_trouble_.clear();  // Whoever asks is told again.
      reload_access();
      manager_.started();
    }
    wait_for_hangup();
  });
}

void Server::reload() {
  LocalAction action(audit_, "reload", "signal", "the configuration");
  const Result<> begun = action.begin();
  const auto changed = begun ? take_over_fresh() : Result<std::string>{begun.error()};
  if (!changed) {
    log_.error("the configuration is not reloaded: " + changed.error().detail);
    return action.end(changed.error());
  }
  action.add_details(*changed);
  action.end(ok());
}

/// Runs on the main thread, which may read files. Returns the keys that have changed, for people.
Result<std::string> Server::take_over_fresh() {
  LoadedConfig loaded = reload_();
  for (const std::string& warning : loaded.findings.warnings) log_.warn(warning);
  for (const std::string& key : loaded.findings.unknown_keys) log_.warn(key);
  for (const std::string& error : loaded.findings.errors) log_.error(error);
  auto tls = read_tls_files();
  if (!tls && loaded.findings.errors.empty()) log_.error(tls.error().detail);
  // A wrong key elsewhere must not keep a revoked certificate in use.
  if (!loaded.findings.errors.empty() && tls) use_tls(*tls);
  if (!loaded.findings.errors.empty() || !tls) {
    return make_error(Errc::invalid_request, "it stays as it was");
  }
  const std::vector<KeyChange> changed = changes(config_, loaded.config);
  const std::vector<std::string> fixed = take_over(loaded.config, config_);
  descriptors_ = with_connections(std::move(descriptors_), config_.limits.connections_max);
  share_descriptors();
  for (const std::string& key : fixed) log_.warn(key + " takes effect after a restart");
  log_.set_level(config_.log.level);
  store_.set_retention(retention(config_.store));
  ignore_error(set_targets(), "the configuration was checked when it was loaded");
  ignore_error(set_client_limits(), "likewise");
  asio::co_spawn(shards_.front()->executor(), apply(config_, std::move(*tls)), asio::use_future)
      .get();
  std::string told = tell(changed);
  log_.info("reloaded: " + summarize(config_));
  return told;
}

std::string Server::tell(const std::vector<KeyChange>& changed) {
  std::string all;
  for (const KeyChange& change : changed) {
    all += "; " + change.text;
    if (change.loosens) {
      log_.warn("changed by the reload, and less is refused than before: " + change.text);
    } else {
      log_.info("changed by the reload: " + change.text);
    }
  }
  return all;
}

Task<void> Server::apply(const Config& fresh, TlsContexts tls) {
  co_await coordinator_->set_limits(fresh.coordinator);
  for (auto& shard : shards_) {
    co_await on_shard(shard->executor(), shard->reload(fresh, tls));
  }
  if (traces_) traces_->set_tls(tls.branches);
}

/// Runs on the main thread, which may read files.
Result<TlsContexts> Server::read_tls_files() {
  // A change that comes while the files are read is found by the next look.
  tls_watch_ = FileWatch{stamps_of(tls_files_)};
  auto tls = read_tls(config_);
  if (!tls) tls_watch_.failed();
  if (!tls) return tls;
  tls_trouble_.clear();
  certificates_.set(expiries_of(*tls));
  return tls;
}

void Server::use_tls(const TlsContexts& tls) {
  asio::co_spawn(shards_.front()->executor(), apply(config_, tls), asio::use_future).get();
  log_.info("files of TLS have changed and are used for new connections" +
            describe_tls(config_, tls));
}

/// Looks at intervals whether files of certificates, callers or keys have changed.
void Server::watch_files() {
  if (tls_files_.empty() && !config_.auth.is_on()) return;
  watch_timer_.expires_after(look_interval);
  watch_timer_.async_wait([this](const error_code& failed) {
    if (failed) return;
    if (tls_watch_.look(stamps_of(tls_files_))) renew_tls();
    if (access_files_.have_changed()) reload_access();
    certificates_.look(std::chrono::system_clock::to_time_t(clock_.wall_now()));
    watch_files();
  });
}

void Server::renew_tls() {
  const auto tls = read_tls_files();
  const std::string trouble = tls ? std::string{} : tls.error().detail;
  const bool is_news = std::exchange(tls_trouble_, trouble) != trouble;
  if (tls) return use_tls(*tls);
  if (!is_news) return;
  log_.error("files of TLS have changed and cannot be used; what was read before stays in use: " +
             trouble);
}

/// Reads the files of callers and keys again. Requests that run are not touched: each shard takes
/// the new rules between two of them.
void Server::reload_access() {
  if (!config_.auth.is_on()) return;
  const auto access = access_files_.read();
  const std::string trouble = access ? std::string{} : access.error().detail;
  const bool is_news = std::exchange(access_trouble_, trouble) != trouble;
  if (!access && !is_news) return;
  LocalAction action(audit_, "reloadCallers", "file", access ? (*access)->summary() : "");
  ignore_error(action.begin(), "a full disk must not keep a token in use that is revoked");
  if (!access) {
    action.end(access.error());
    log_.error("the callers stay as they were: " + trouble);
    return;
  }
  for (auto& shard : shards_) {
    asio::post(shard->executor(), [&shard = *shard, rules = *access] { shard.set_access(rules); });
  }
  action.end(ok());
  log_.info("callers and keys are read again; there are " + (*access)->summary());
}

}  // namespace concerto::tools
