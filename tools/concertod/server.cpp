#include "server.hpp"

#include <algorithm>
#include <csignal>
#include <numeric>
#include <sched.h>

#include <boost/asio/use_future.hpp>

#include <concerto/base/counted.hpp>
#include <concerto/base/system.hpp>
#include <concerto/protocol/odd_wordings.hpp>
#include <concerto/protocol/registration_plan.hpp>

#include "client_setup.hpp"
#include "readiness.hpp"
#include "store_setup.hpp"
#include "unended_migration.hpp"

namespace concerto::tools {
namespace {

std::size_t cores_in_affinity_mask() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return static_cast<std::size_t>(std::max(1, CPU_COUNT(&mask)));
}

/// How often a coordinator looks for what others have left in a shared store.
std::chrono::seconds poll_interval(const Config& config) {
  return std::clamp<std::chrono::seconds>(config.trans_cron_interval, std::chrono::seconds(1),
                                          std::chrono::hours(1));
}

net::RightTokens::Key random_key() {
  SystemRandom random;
  return {random.next(), random.next()};
}

}  // namespace

Server::Server(const Config& config, OpenedStore store, Log& log, AuditLog* audit,
               const ServiceManager& manager, Reload reload, ListeningPorts ports)
    : config_(config),
      store_(store.store),
      is_whole_(store.is_whole),
      log_(log),
      audit_(audit),
      manager_(manager),
      reload_(std::move(reload)),
      ports_(std::move(ports)),
      access_files_(config.auth),
      caller_names_([this](const std::string& text) { log_.warn(text); }),
      wrong_tokens_(clock_, [this](const std::string& text) { log_.warn(text); }),
      right_tokens_(random_key()),
      limiter_(clock_, random_, [this](const std::string& text) { log_.warn(text); }),
      client_connections_(make_connections("Limits.Connections")),
      admin_connections_(make_connections("fixed for the admin port")),
      backup_pages_(
          store_, config.store.driver, config.backup.directory, clock_,
          [this](LogLevel level, const std::string& text) { log_.write(level, {}, text); }),
      ops_pages_(ops_sources()),
      refused_targets_(clock_, [this](const std::string& text) { log_.warn(text); }),
      targets_(net::TargetPolicy(), [this](const std::string& why) { refused_targets_.tell(why); }),
      shortage_(clock_, [this](const std::string& text) { log_.warn(text); }),
      tls_files_(tls_files(config)),
      certificates_([this](const std::string& text) { log_.warn(text); }) {}

Result<> Server::run() {
  CONCERTO_CHECK(set_up());
  wait_for_signal();
  wait_for_hangup();
  watch_files();
  log_.reopen();  // for a logrotate that came while the store was opened
  CONCERTO_CHECK(start_shards());
  const Result<> listening = listen();
  if (listening) {
    control_.run();  // until a signal
    log_.info("stopping");
  }
  stopping_.store(true);
  manager_.stopping();
  // An operator who ends the process at a terminal has no load balancer that must notice first.
  const bool waits = listening && !failure_ && stop_signal_ != SIGINT;
  const auto delay = waits ? config_.shutdown_delay : std::chrono::seconds{0};
  const Executor first = shards_.front()->executor();
  asio::co_spawn(first, leave_service(delay), asio::use_future).get();
  asio::co_spawn(first, stop(), asio::use_future).get();
  for (auto& shard : shards_) shard->join();
  if (failure_) return *failure_;
  return listening;
}

Result<> Server::set_up() {
  CONCERTO_TRY(const net::Driver driver, net::parse_driver(config_.micro_service.driver));
  CONCERTO_TRY(registration_plan_, net::parse_registration(driver, config_.micro_service.target,
                                                           config_.micro_service.end_point));
  CONCERTO_TRY(auto tls, read_tls_files());
  CONCERTO_TRY(auto proxies, net::HttpProxyRules::from_environment());
  CONCERTO_CHECK(set_targets());
  CONCERTO_CHECK(set_client_limits());
  if (proxies.has_any()) {
    log_.warn(
        "HTTP_PROXY or HTTPS_PROXY is set: the proxy looks names up, so TargetAllow and TargetDeny "
        "judge calls through it by the text of their URL, and the proxy has to refuse addresses");
  }
  CONCERTO_TRY(auto access, read_access());
  CONCERTO_TRY(const Proxies front_proxies, read_proxies(config_.proxies));
  const std::size_t count = config_.shards > 0 ? config_.shards : cores_in_affinity_mask();
  descriptors_ = plan_descriptors(raise_descriptor_limit(), count, config_.limits.connections_max,
                                  operators_max());
  share_descriptors();
  CONCERTO_TRY(const TraceSetup traces, read_trace(config_.trace));
  CONCERTO_TRY(traces_, TraceExport::start(config_.trace, tls.branches, log_));
  client_ports_.tls = tls.ports;
  tls_text_ = describe_tls(config_, tls);
  ShardSetup setup{config_,        clock_,
                   log_,           dns_,
                   driver,         std::nullopt,
                   std::move(tls), std::move(proxies),
                   targets_,       std::make_shared<net::AddressMemory>(),
                   descriptors_,   std::move(access),
                   caller_names_,  wrong_tokens_,
                   right_tokens_,  limiter_,
                   grpc_calls_,    count,
                   audit_,         traces_ ? &traces_->queue() : nullptr};
  if (registration_plan_) setup.etcd_access = registration_plan_->access;
  std::vector<ShardPorts> ports;
  for (std::size_t i = 0; i < count; ++i) {
    shards_.push_back(std::make_unique<Shard>(setup));
    ports.push_back(shards_.back()->ports());
  }
  CoordinatorOptions options = config_.coordinator;
  options.wording = net::odd_wordings;
  options.trace = traces.options;
  options.poll_interval = poll_interval(config_);
  coordinator_ = std::make_unique<Coordinator>(std::move(ports), store_, clock_, options);
  Shard& first = *shards_.front();
  bulk_ = std::make_unique<BulkActions>(*coordinator_, store_, clock_, first.executor(),
                                        first.timers(), first.ports().random);
  record_ends();
  for (auto& shard : shards_) {
    shard->serve(*coordinator_, *bulk_, config_, ops_pages_, client_ports_);
  }
  make_listeners(front_proxies);
  recovery_ = std::make_unique<TaskGroup>(first.executor());
  background_ = std::make_unique<TaskGroup>(first.executor());
  if (store_.ownership() != nullptr) {
    backlog_watch_ = std::make_unique<BacklogWatch>([this] { return coordinator_->backlog(); },
                                                    first.timers(), *background_, first.executor());
  }
  return ok();
}

/// Null if nobody is asked who they are.
Result<std::shared_ptr<const net::AccessRules>> Server::read_access() {
  for (const std::string& warning : open_doors(config_)) log_.warn(warning);
  if (!config_.auth.is_on()) return nullptr;
  CONCERTO_TRY(auto access, access_files_.read());
  log_.info("callers need a token or a certificate; there are " + access->summary());
  return access;
}

/// Puts the policy of the configuration about targets into force. No client may make a coordinator
/// call the operators' port, neither its own nor that of another one.
Result<> Server::set_targets() {
  std::string deny = config_.target_deny;
  if (config_.admin.port != 0) deny += ",*:" + std::to_string(config_.admin.port);
  CONCERTO_TRY(auto policy, net::TargetPolicy::make(config_.target_allow, deny));
  targets_.set(std::move(policy));
  return ok();
}

/// Starts all threads or none: a shard without a thread would never answer the others.
Result<> Server::start_shards() {
  for (auto shard = shards_.begin(); shard != shards_.end(); ++shard) {
    Result<> started = (*shard)->start();
    if (started) continue;
    while (shard != shards_.begin()) (*--shard)->halt();
    return started;
  }
  return ok();
}

Result<> Server::listen() {
  // Nothing else runs before both ports are taken, so a start that fails here has little to undo.
  const auto begin = [this]() -> Result<> {
    if (!ports_.http.is_open()) {
      CONCERTO_TRY(ports_,
                   listen_on_ports(config_.listen_address, config_.http_port, config_.grpc_port));
    }
    std::string admin;
    if (admin_listener_) {
      CONCERTO_TRY(auto socket, listen_on_port(admin_address(config_), config_.admin.port));
      CONCERTO_CHECK(admin_listener_->listen(std::move(socket)));
      admin = ", admin port " + std::to_string(config_.admin.port);
    }
    CONCERTO_CHECK(http_listener_->listen(std::move(ports_.http)));
    CONCERTO_CHECK(grpc_listener_->listen(std::move(ports_.grpc)));
    const std::string http = std::to_string(http_listener_->address().port());
    const std::string grpc = std::to_string(grpc_listener_->address().port());
    log_.info("listening on port " + http + " (HTTP) and port " + grpc + " (gRPC)" + admin +
              tls_text_);
    manager_.started();
    recovery_->spawn(recover());
    background_->spawn(tell_that_it_lives());
    background_->spawn(tell_readiness("HTTP on port " + http + ", gRPC on port " + grpc + ", " +
                                      counted(shards_.size(), "shard")));
    if (coordinator_->is_paused()) {
      set_serving(false);
    } else {
      begin_registration();
    }
    return ok();
  };
  return asio::post(shards_.front()->executor(), asio::use_future(begin)).get();
}

void Server::begin_registration() {
  if (!registration_plan_) return;
  registration_ =
      std::make_unique<net::EtcdRegistration>(shards_.front()->channels(), *registration_plan_);
  registration_->start();
}

Task<void> Server::tell_readiness(std::string server) {
  constexpr std::chrono::milliseconds pause_at_start{20};
  constexpr std::chrono::seconds pause{1};
  co_await asio::this_coro::throw_if_cancelled(false);
  ReadinessLog readiness(std::move(server));
  for (bool goes_on = true; goes_on && !stopping_.load();) {
    const SteadyTime now = clock_.steady_now();
    const auto line = readiness.look(why_not_ready_for_log(), now);
    if (line) log_.write(line->level, {}, line->text);
    if (line) manager_.status(line->text);
    const SteadyTime next = now + (readiness.was_ready() ? pause : pause_at_start);
    goes_on = co_await sleep_until(shards_.front()->timers(), next);
  }
}

/// Tells the service manager so, as long as each shard runs. This shard shows it by being here.
Task<void> Server::tell_that_it_lives() {
  const auto interval = manager_.watchdog_interval();
  if (!interval) co_return;
  for (bool goes_on = true; goes_on;) {
    if (why_not_live().empty()) manager_.is_alive();
    goes_on = co_await sleep_until(shards_.front()->timers(), clock_.steady_now() + *interval);
  }
}

/// Whether everything is there that was to be migrated into the store. Waits for a store that is
/// away. If something is missing, the server ends.
Task<bool> Server::store_is_whole() {
  constexpr std::chrono::milliseconds look_pause{500};
  if (is_whole_) co_return true;
  for (;;) {
    const auto unended = co_await unended_migration(store_, store_place(config_));
    if (unended && !*unended) co_return true;
    if (unended) {
      asio::post(control_, [this, why = **unended] {
        failure_ = make_error(EngineErrc::store_unavailable, why);
        control_.stop();
      });
      co_return false;
    }
    const bool goes_on =
        co_await sleep_until(shards_.front()->timers(), clock_.steady_now() + look_pause);
    if (!goes_on) co_return false;
  }
}

Task<void> Server::recover() {
  const bool is_whole = co_await store_is_whole();
  if (!is_whole) co_return;
  const Result<> recovered = co_await coordinator_->recover();
  recovered_.store(recovered.has_value());
  if (!recovered) {
    log_.error("unfinished transactions cannot be read: " + recovered.error().detail);
  } else {
    tell_recovered();
  }
  const bool works = co_await wait_until_begun();
  // Each action of a job that goes on would be refused before.
  if (works) bulk_->start();
}

void Server::tell_recovered() const {
  if (backlog_watch_ != nullptr) {
    log_.info("due transactions of the shared store are looked for every " +
              std::to_string(poll_interval(config_).count()) + " s");
    return;
  }
  // The alarms alone would not do: a transaction that is resumed at once has none.
  const InFlight now = coordinator_->in_flight();
  const auto unfinished =
      std::accumulate(now.unfinished.begin(), now.unfinished.end(), std::size_t{0});
  log_.info("recovery: " + counted(unfinished, "unfinished transaction") + ", " +
            std::to_string(now.alarms) + " of them " + (now.alarms == 1 ? "waits" : "wait") +
            " for " + (now.alarms == 1 ? "its" : "their") + " time");
}

/// Nobody is sent to a coordinator that has started paused: the health service says so, and the
/// registry does not know it. False if the server stops.
Task<bool> Server::wait_until_begun() {
  if (!coordinator_->is_paused()) co_return true;
  log_.warn(
      "started paused: no service is called, and applications are refused, until POST "
      "/api/concerto/begin or a restart without --paused");
  const bool begun = co_await coordinator_->wait_until_begun();
  if (!begun || stopping_.load()) co_return false;
  log_.info("begun: services are called");
  set_serving(true);
  begin_registration();
  co_return true;
}

void Server::wait_for_signal() {
  signals_.async_wait([this](const error_code& failed, int signal_number) {
    if (failed) return;
    stop_signal_ = signal_number;
    // Stopping takes a while, and a second signal ends the process at once. What is stored is safe.
    for (const int signal : {SIGINT, SIGTERM, SIGQUIT}) std::signal(signal, SIG_DFL);
    control_.stop();
  });
}

/// What the health service of each shard says.
void Server::set_serving(bool serving) {
  for (auto& shard : shards_) {
    asio::post(shard->executor(),
               [&api = shard->grpc_api(), serving] { api.set_serving(serving); });
  }
}

/// Tells everybody who chooses among servers to choose others: by the probe (stopping_), the health
/// service and the registry. It takes until `delay` has passed for the last of them to notice, so
/// requests are served meanwhile, on new connections too.
Task<void> Server::leave_service(std::chrono::seconds delay) {
  const SteadyTime served_until = clock_.steady_now() + delay;
  set_serving(false);
  if (registration_) co_await registration_->stop(clock_.steady_now() + std::chrono::seconds(2));
  co_await sleep_until(shards_.front()->timers(), served_until);
}

void Server::record_ends() {
  bulk_->set_on_unreadable([this](const BulkJob& job) {
    log_.error("job '" + job.id + "' is left out: " + job.trouble);
  });
  if (audit_ == nullptr) return;
  bulk_->set_on_end([this](BulkJob job) { return record_end(std::move(job)); });
  backup_pages_.set_write_end([this](const net::AuditRecord& end) {
    ignore_error(audit_->write_now(end), "it has happened, and the log tells why");
  });
}

/// A job ends long after the request that began it, and perhaps on another coordinator.
Task<void> Server::record_end(BulkJob job) {
  net::AuditRecord record;
  record.event = job.state == BulkJob::State::failed ? net::AuditRecord::Event::failed
                                                     : net::AuditRecord::Event::done;
  record.id = job.audit_id.empty() ? audit_->next_id() : job.audit_id;
  record.action = to_string(job.request.action);
  record.by = "http";
  record.caller = job.caller;
  record.reason = job.request.reason;
  record.details = "job " + job.id;
  record.result = std::string(to_string(job.state)) + ": " + std::to_string(job.done) + " done, " +
                  std::to_string(job.failed) + " refused";
  if (!job.trouble.empty()) record.result += ", " + job.trouble;
  ignore_error(co_await audit_->write(std::move(record)), "it has happened, and the log tells why");
}

Task<void> Server::stop() {
  const SteadyTime deadline = clock_.steady_now() + config_.shutdown_grace;
  store_.begin_stop(deadline);
  http_listener_->close();
  grpc_listener_->close();
  if (admin_listener_) admin_listener_->close();
  // A recovery that still runs ends first: no engine may get work after its end.
  co_await recovery_->close();
  co_await coordinator_->stop(deadline);
  co_await bulk_->stop();
  // Its questions may wait for a silent store until the deadline. The coordinator must not.
  co_await background_->close();
  // By now everybody who waited has an answer; the answers only have to arrive.
  const SteadyTime answered = std::max(deadline, clock_.steady_now() + std::chrono::seconds(1));
  for (auto& shard : shards_) {
    co_await on_shard(shard->executor(), shard->close(answered));
  }
}

}  // namespace concerto::tools
