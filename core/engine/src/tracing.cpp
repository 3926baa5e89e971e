#include "tracing.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/masked_url.hpp>

namespace concerto {
namespace {

Span span_below(SpanKind kind, const TraceParent& self, SpanId parent) {
  Span span;
  span.kind = kind;
  span.self = self;
  span.parent = parent;
  return span;
}

bool has_trace(const std::map<std::string, std::string>& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
    return is_traceparent(header.first) || is_tracestate(header.first);
  });
}

/// At most the characters that a text has in JSON.
std::size_t json_chars(std::string_view text) {
  std::size_t chars = 0;
  for (const char c : text) {
    const bool is_plain =
        c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
    chars += is_plain ? 1 : 6;
  }
  return chars;
}

std::size_t json_chars(std::string_view name, std::string_view value) {
  constexpr std::size_t punctuation = 6;
  return json_chars(name) + json_chars(value) + punctuation;
}

/// Adds the fields as far as there is room for them.
bool add_fields(std::map<std::string, std::string>& headers, const std::string& parent,
                const std::string& state) {
  std::size_t chars = json_chars(traceparent_name, parent);
  for (const auto& [name, value] : headers) chars += json_chars(name, value);
  if (chars > traced_headers_chars_max) return false;
  headers.emplace(traceparent_name, parent);
  chars += json_chars(tracestate_name, state);
  if (!state.empty() && chars <= traced_headers_chars_max) headers.emplace(tracestate_name, state);
  return true;
}

/// A `tracestate` without a trace means nothing.
void set_parent(std::optional<TraceContext>& trace, const TraceParent& parent) {
  if (!parent.is_set()) return trace.reset();
  if (!trace) trace.emplace();
  trace->parent = parent;
}

}  // namespace

bool add_trace(std::map<std::string, std::string>& headers, const TraceContext& trace) {
  if (!trace.parent.is_set() || has_trace(headers)) return false;
  return add_fields(headers, trace.parent.str(), trace.state);
}

void remove_trace(std::map<std::string, std::string>& headers) {
  for (const std::string_view name : {traceparent_name, tracestate_name}) {
    headers.erase(std::string(name));
  }
}

std::map<std::string, std::string> with_stored_trace(
    std::map<std::string, std::string> named, const std::map<std::string, std::string>& stored) {
  const auto value_of = [&stored](std::string_view name) {
    const auto found = stored.find(std::string(name));
    return found == stored.end() ? std::string() : found->second;
  };
  const std::string parent = value_of(traceparent_name);
  if (!parent.empty() && !has_trace(named)) add_fields(named, parent, value_of(tracestate_name));
  return named;
}

std::unique_ptr<RequestSpan> Tracing::begin_traced(std::string_view name, TransRequest& request,
                                                   const RequestContext& context) const {
  const TraceOptions& options = env_.options.trace;
  TraceParent above;
  if (options.propagates) above = context.trace;
  set_parent(request.trace, above);
  if (!options.records) return nullptr;
  const auto& headers = request.options.branch_headers;
  if (const auto own = headers.empty() ? std::nullopt : trace_among(headers)) above = *own;
  if (above.is_set() ? !above.is_sampled() : !draws()) return nullptr;
  if (!above.is_set()) {
    above.trace = new_trace();
    above.flags = TraceParent::known_flags;
  }
  auto span = make(name, above, request.gid, request.trans_type);
  set_parent(request.trace, span->self);
  return span;
}

std::unique_ptr<RequestSpan> Tracing::begin(std::string_view name, const Gid& gid,
                                            std::string_view mode,
                                            const RequestContext& context) const {
  const TraceOptions& options = env_.options.trace;
  if (!options.records || !options.propagates || !context.trace.is_sampled()) return nullptr;
  return make(name, context.trace, gid, mode);
}

std::unique_ptr<RequestSpan> Tracing::make(std::string_view name, const TraceParent& above,
                                           const Gid& gid, std::string_view mode) const {
  auto span = std::make_unique<RequestSpan>();
  span->self = below(above);
  span->parent = above.span;
  span->begin = env_.clock.wall_now();
  span->name = name;
  span->gid = gid;
  span->mode = mode;
  return span;
}

void Tracing::end_request(const RequestSpan& request, const std::string& error) const {
  Span span = span_below(SpanKind::request, request.self, request.parent);
  span.begin = request.begin;
  span.end = env_.clock.wall_now();
  span.name = request.name;
  span.gid = request.gid.view();
  span.mode = request.mode;
  span.error = error;
  env_.observer.span_ended(span);
}

void Tracing::look_at_headers(LiveTrans& live) const {
  const auto stored = trace_among(live.trans.options.branch_headers);
  if (!stored || !stored->is_sampled()) return;
  live.trace = std::make_unique<LiveTrace>();
  live.trace->stored = *stored;
}

void Tracing::begin_traced_pass(LiveTrans& live) const {
  // A transaction that is woken again while it is queued goes on with the pass that it had begun.
  if (live.trace->pass.is_set()) return;
  live.trace->pass = below(live.trace->stored);
  live.trace->pass_begin = env_.clock.wall_now();
}

void Tracing::end_traced_pass(LiveTrans& live, const Result<>& result, bool without_error) const {
  if (!live.trace->pass.is_set()) return;
  const TraceParent self = std::exchange(live.trace->pass, {});
  Span span = span_below(SpanKind::pass, self, live.trace->stored.span);
  span.begin = live.trace->pass_begin;
  span.end = env_.clock.wall_now();
  span.gid = live.gid.view();
  span.mode = live.mode != nullptr ? live.mode->name : std::string_view{};
  span.result = to_string(live.trans.status);
  std::string error;
  if (!without_error) {
    error = live.pass.worst ? live.pass.worst->error.detail : error_text(result);
    if (error.empty()) error = "error";
  }
  span.error = error;
  env_.observer.span_ended(span);
}

const TraceParent* Tracing::begin_traced_call(LiveTrans& live) const {
  const TraceParent& above = live.trace->current();
  live.trace->calls.push_back({below(above), above.span});
  return &live.trace->calls.back().self;
}

void Tracing::end_traced_call(LiveTrans& live, const BranchCall& call, const BranchReply& reply,
                              std::chrono::nanoseconds took) const {
  CONCERTO_ASSERT(live.trace != nullptr);
  auto& calls = live.trace->calls;
  const auto ended = std::find_if(calls.begin(), calls.end(), [&](const LiveTrace::Call& one) {
    return &one.self == call.trace;
  });
  CONCERTO_ASSERT(ended != calls.end());
  Span span = span_below(SpanKind::attempt, ended->self, ended->parent);
  span.end = env_.clock.wall_now();
  span.begin = span.end - took;
  span.name = call.op;
  span.gid = live.gid.view();
  span.mode = call.mode->name;
  span.branch_id = call.branch_id;
  const std::string url = masked_url(call.url);
  span.url = url;
  span.result = to_string(reply.outcome);
  const bool is_well = reply.outcome == Outcome::success || reply.outcome == Outcome::ongoing;
  const std::string error = is_well ? std::string{} : error_text(Result<>(reply.error));
  span.error = error;
  env_.observer.span_ended(span);
  calls.erase(ended);
}

std::unique_ptr<CommitSpan> Tracing::begin_commit_below(const TraceParent& above) const {
  if (!above.is_sampled()) return nullptr;
  return std::make_unique<CommitSpan>(CommitSpan{below(above), above.span, env_.clock.wall_now()});
}

void Tracing::end_traced_commit(const CommitSpan& commit, const Gid& gid, const Mode& mode,
                                const Result<>& result) const {
  Span span = span_below(SpanKind::commit, commit.self, commit.parent);
  span.begin = commit.begin;
  span.end = env_.clock.wall_now();
  span.gid = gid.view();
  span.mode = mode.name;
  const std::string error = error_text(result);
  span.error = error;
  env_.observer.span_ended(span);
}

/// Whether a request without a trace begins one.
bool Tracing::draws() const {
  const double sample = env_.options.trace.sample;
  if (sample <= 0) return false;
  constexpr double step = 1.0 / (std::uint64_t{1} << 53U);
  return static_cast<double>(env_.ports.random.next() >> 11U) * step < sample;
}

SpanId Tracing::new_span() const {
  SpanId id;
  while (!id.is_set()) id.number = env_.ports.random.next();
  return id;
}

TraceId Tracing::new_trace() const {
  TraceId id;
  while (!id.is_set()) {
    for (std::size_t at = 0; at < id.bytes.size(); at += 8) {
      const std::uint64_t word = env_.ports.random.next();
      for (std::size_t i = 0; i < 8; ++i) {
        id.bytes[at + i] = static_cast<std::uint8_t>(word >> (8 * i) & 0xffU);
      }
    }
  }
  return id;
}

TraceParent Tracing::below(const TraceParent& above) const {
  TraceParent self = above;
  self.span = new_span();
  return self;
}

}  // namespace concerto
