#include <algorithm>
#include <otlp_trace.pb.h>

#include <concerto/base/counted.hpp>
#include <concerto/protocol/host_port.hpp>
#include <concerto/protocol/trace_exporter.hpp>
#include <concerto/transport/http_message.hpp>

namespace concerto::net {
namespace {

constexpr std::string_view export_method =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr std::uint16_t standard_port = 4317;

/// Whether the collector may take the same spans later, as OTLP has it.
bool may_try_again(GrpcCode code) noexcept {
  switch (code) {
    case GrpcCode::cancelled:
    case GrpcCode::deadline_exceeded:
    case GrpcCode::resource_exhausted:
    case GrpcCode::aborted:
    case GrpcCode::out_of_range:
    case GrpcCode::unavailable:
    case GrpcCode::data_loss:
      return true;
    default:
      return false;
  }
}

bool is_name_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_printable(char c) noexcept {
  return c >= 0x20 && c <= 0x7E;
}

void add_attribute(otlp::Resource& to, const char* key, const std::string& value) {
  if (value.empty()) return;
  otlp::KeyValue& attribute = *to.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(value);
}

}  // namespace

Result<TraceEndpoint> parse_trace_endpoint(std::string_view text) {
  TraceEndpoint endpoint;
  if (text.empty()) return endpoint;
  constexpr std::string_view plain = "http://", secure = "https://";
  std::string_view place = text;
  endpoint.uses_tls = place.starts_with(secure);
  if (endpoint.uses_tls) {
    place.remove_prefix(secure.size());
  } else if (place.starts_with(plain)) {
    place.remove_prefix(plain.size());
  }
  if (place.ends_with('/')) place.remove_suffix(1);
  const auto parsed = parse_host_port(place, standard_port);
  if (!parsed || parsed->host.empty()) {
    return make_error(Errc::invalid_request,
                      "expected host:port, http://host:port or "
                      "https://host:port, found '" +
                          std::string(text) + "'");
  }
  const bool is_v6 = parsed->host.find(':') != std::string::npos;
  endpoint.target =
      (is_v6 ? "[" + parsed->host + "]" : parsed->host) + ":" + std::to_string(parsed->port);
  return endpoint;
}

Result<TraceHeaders> parse_trace_headers(std::string_view list) {
  TraceHeaders headers;
  for (std::string_view rest = list; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view part = trim_blanks(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    std::string name(trim_blanks(part.substr(0, equals)));
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const std::string_view value = trim_blanks(part.substr(std::min(equals + 1, part.size())));
    const bool is_header = equals < part.size() && !name.empty() &&
                           std::ranges::all_of(name, is_name_char) &&
                           std::ranges::all_of(value, is_printable);
    if (!is_header) {
      return make_error(Errc::invalid_request,
                        "expected name=value,name=value with names and values that gRPC can "
                        "send; entry " +
                            std::to_string(headers.size() + 1) + " is not so");
    }
    headers.emplace_back(std::move(name), value);
  }
  return headers;
}

TraceExporter::TraceExporter(TargetChannels& channels, Timers& timers, SpanQueue& queue,
                             std::function<void(LogLevel, const std::string&)> log,
                             TraceExporterOptions options)
    : channels_(channels),
      timers_(timers),
      queue_(queue),
      log_(std::move(log)),
      options_(std::move(options)),
      stopped_(channels.shard().executor) {}

Task<void> TraceExporter::run() {
  co_await asio::this_coro::throw_if_cancelled(false);
  Timer timer(timers_, [this] { stopped_.notify_all(); });
  while (!is_stopping_) {
    timer.set(timers_.now() + options_.interval);
    const bool goes_on = co_await stopped_.wait();
    if (!goes_on) break;
    co_await send_all();
  }
  co_await send_all();
}

void TraceExporter::stop(SteadyTime deadline) {
  is_stopping_ = true;
  end_ = deadline;
  stopped_.notify_all();
}

Task<void> TraceExporter::send_all() {
  for (;;) {
    std::vector<std::string> spans = queue_.take(options_.batch_spans_max);
    if (spans.empty()) co_return;
    co_await send(std::move(spans));
  }
}

/// Sends one batch, again if the collector may take it later.
Task<void> TraceExporter::send(std::vector<std::string> spans) {
  const std::size_t count = spans.size();
  const std::string message = message_of(std::move(spans));
  Error error;
  std::chrono::milliseconds pause = options_.pause_first;
  for (unsigned tries = 1;; ++tries) {
    const bool is_final = co_await try_once(message, count, error);
    if (is_final && error.detail.empty()) co_return;
    note(&error, 0);
    // A coordinator that stops does not wait for a collector that is away.
    if (is_final || is_stopping_ || tries >= options_.tries_max) break;
    const bool slept = co_await sleep_until(timers_, timers_.now() + pause);
    if (!slept) break;
    pause *= 2;
  }
  failed_.fetch_add(count, std::memory_order_relaxed);
}

/// True if there is nothing to try again. `error` has a text unless the collector took the spans.
Task<bool> TraceExporter::try_once(const std::string& message, std::size_t spans, Error& error) {
  error = {};
  if (is_over()) {
    error.detail = "no time was left at the stop";
    co_return true;
  }
  const Result<GrpcChannel*> channel = channels_.channel(options_.target);
  if (!channel) {
    error = channel.error();
    co_return true;
  }
  GrpcMetadata metadata;
  for (const auto& [name, value] : options_.headers) metadata.add(name, value);
  const SteadyTime deadline = std::min(end_, timers_.now() + options_.timeout);
  const GrpcReply reply = co_await (*channel)->unary(std::string(export_method), message,
                                                     std::move(metadata), deadline);
  if (!reply.ok()) {
    error = to_error(reply);
    if (error.detail.empty()) error.detail = to_string(reply.status.code);
    co_return !may_try_again(reply.status.code);
  }
  otlp::ExportTraceServiceResponse answer;
  std::size_t rejected = 0;
  if (answer.ParseFromString(reply.message)) {
    const std::int64_t said = answer.partial_success().rejected_spans();
    rejected = std::min(spans, static_cast<std::size_t>(std::max<std::int64_t>(said, 0)));
  }
  exported_.fetch_add(spans - rejected, std::memory_order_relaxed);
  failed_.fetch_add(rejected, std::memory_order_relaxed);
  note(nullptr, rejected);
  co_return true;
}

std::string TraceExporter::message_of(std::vector<std::string> spans) const {
  otlp::ExportTraceServiceRequest request;
  otlp::ResourceSpans& resource = *request.add_resource_spans();
  otlp::Resource& about = *resource.mutable_resource();
  add_attribute(about, "service.name", options_.service_name);
  add_attribute(about, "service.version", options_.service_version);
  add_attribute(about, "service.instance.id", options_.instance);
  otlp::ScopeSpans& scope = *resource.add_scope_spans();
  scope.mutable_scope()->set_name("concerto");
  scope.mutable_scope()->set_version(options_.service_version);
  for (std::string& span : spans) scope.add_spans(std::move(span));
  return request.SerializeAsString();
}

/// Tells the log when the collector begins to fail, and when it takes spans again.
void TraceExporter::note(const Error* error, std::size_t rejected) {
  const bool fails = error != nullptr || rejected > 0;
  if (fails == has_failed_) return;
  has_failed_ = fails;
  if (error != nullptr) {
    log_(LogLevel::warn, "spans cannot be sent to " + options_.target + ": " + error->detail);
  } else if (fails) {
    log_(LogLevel::warn, options_.target + " has refused " + counted(rejected, "span"));
  } else {
    log_(LogLevel::info, "spans are sent to " + options_.target + " again");
  }
}

}  // namespace concerto::net
