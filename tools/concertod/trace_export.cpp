#include "trace_export.hpp"

#include <charconv>
#include <unistd.h>

#include <boost/asio/use_future.hpp>

#include <concerto/base/start_thread.hpp>

namespace concerto::tools {
namespace {

Error about(std::string_view key, const std::string& what) {
  return make_error(Errc::invalid_request, std::string(key) + ": " + what);
}

Result<double> read_sample(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (failed == std::errc{} && rest == end && value >= 0 && value <= 1) return value;
  return about("Trace.Sample", "expected a part from 0 to 1, as 0.01, found '" + text + "'");
}

net::TargetChannelsOptions channels_to(const TraceSetup& setup,
                                       std::shared_ptr<boost::asio::ssl::context> tls) {
  net::TargetChannelsOptions options;
  options.channel.user_agent = "concertod/" CONCERTO_VERSION;
  options.channel.backoff_max = std::chrono::seconds(5);
  if (!setup.endpoint.uses_tls) return options;
  options.channel.tls = std::move(tls);
  options.tls_targets = {"*"};
  return options;
}

std::string instance_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return {};
  return name;
}

net::TraceExporterOptions exporter_options(const TraceConfig& config, const TraceSetup& setup) {
  net::TraceExporterOptions options;
  options.target = setup.endpoint.target;
  options.headers = setup.headers;
  options.service_name = config.service_name;
  options.service_version = CONCERTO_VERSION;
  options.instance = instance_name();
  return options;
}

}  // namespace

Result<TraceSetup> read_trace(const TraceConfig& config) {
  TraceSetup setup;
  auto endpoint = net::parse_trace_endpoint(config.endpoint);
  if (!endpoint) return about("Trace.Endpoint", endpoint.error().detail);
  auto headers = net::parse_trace_headers(config.headers);
  if (!headers) return about("Trace.Headers", headers.error().detail);
  CONCERTO_TRY(setup.options.sample, read_sample(config.sample));
  setup.endpoint = std::move(*endpoint);
  setup.headers = std::move(*headers);
  setup.options.propagates = config.propagate;
  setup.options.records = !setup.endpoint.target.empty();
  return setup;
}

void check_trace(const TraceConfig& config, Findings& findings) {
  const auto setup = read_trace(config);
  if (!setup) {
    findings.errors.push_back(setup.error().detail);
    return;
  }
  if (config.service_name.empty()) {
    findings.errors.push_back("Trace.ServiceName is empty; collectors sort spans by it");
  }
  if (setup->options.records) {
    if (setup->headers.empty() || setup->endpoint.uses_tls) return;
    findings.warnings.push_back(
        "Trace.Headers are sent to Trace.Endpoint without TLS; https://.. in Trace.Endpoint uses "
        "it");
    return;
  }
  if (setup->options.sample > 0) {
    findings.warnings.push_back("Trace.Sample is " + config.sample +
                                ", but Trace.Endpoint is not set: nothing is recorded");
  }
}

Result<std::unique_ptr<TraceExport>> TraceExport::start(
    const TraceConfig& config, std::shared_ptr<boost::asio::ssl::context> tls, Log& log) {
  std::unique_ptr<TraceExport> started;
  CONCERTO_TRY(TraceSetup setup, read_trace(config));
  if (!setup.options.records) return started;
  started.reset(new TraceExport(config, std::move(setup), std::move(tls), log));
  CONCERTO_CHECK(start_thread(started->thread_, "for traces", [&io = started->io_] { io.run(); }));
  return started;
}

TraceExport::TraceExport(const TraceConfig& config, TraceSetup setup,
                         std::shared_ptr<boost::asio::ssl::context> tls, Log& log)
    : timers_(io_.get_executor(), clock_),
      observer_(log),
      resolver_(io_.get_executor(), dns_),
      channels_({io_.get_executor(), timers_, random_, resolver_, observer_},
                channels_to(setup, std::move(tls))),
      exporter_(
          channels_, timers_, queue_,
          [&log](LogLevel level, const std::string& text) { log.write(level, {}, text); },
          exporter_options(config, setup)),
      work_(io_.get_executor()),
      ended_(asio::co_spawn(io_, run(), asio::use_future)) {}

TraceExport::~TraceExport() {
  if (!thread_.joinable()) return;  // The system had no thread for it, and nothing has run.
  asio::post(io_, [this] { exporter_.stop(clock_.steady_now() + stop_grace); });
  ended_.wait();
  work_.reset();
  thread_.join();
}

void TraceExport::set_tls(std::shared_ptr<boost::asio::ssl::context> tls) {
  asio::post(io_, [this, tls = std::move(tls)] { channels_.set_tls(tls, nullptr); });
}

Task<void> TraceExport::run() {
  co_await exporter_.run();
  co_await channels_.close();
  // Timers of deadlines that were met must not keep the thread until they are due.
  timers_.disarm();
}

}  // namespace concerto::tools
