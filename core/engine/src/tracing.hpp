#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <concerto/base/async.hpp>
#include <concerto/base/error.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/engine/span.hpp>
#include <concerto/engine/transaction.hpp>

#include "live_trans.hpp"
#include "shard_env.hpp"

namespace concerto {

/// What a span says of a result; empty if it is no error.
template <class T>
std::string error_text(const Result<T>& result) {
  if (result) return {};
  std::string text = result.error().detail;
  return text.empty() ? "error" : text;
}

/// A request that is recorded.
struct RequestSpan {
  TraceParent self;
  SpanId parent;
  WallTime begin{};
  std::string_view name;
  Gid gid;
  std::string mode;
};

/// Headers for branches get a trace only if they have no more characters with it, as JSON. Stores
/// with the reference's tables have room for 1,024 characters of options; no transaction is refused
/// because of its trace.
inline constexpr std::size_t traced_headers_chars_max = 768;

/// Puts a trace among the headers for branches, where every version of the coordinator and the
/// reference store it and hand it on. False if there is none or no room, or if the headers have a
/// trace of the client's own.
bool add_trace(std::map<std::string, std::string>& headers, const TraceContext& trace);

void remove_trace(std::map<std::string, std::string>& headers);

/// `named` in place of `stored`, but a trace that is stored stays, unless `named` has one.
std::map<std::string, std::string> with_stored_trace(
    std::map<std::string, std::string> named, const std::map<std::string, std::string>& stored);

/// A durable change that is recorded.
struct CommitSpan {
  TraceParent self;
  SpanId parent;
  WallTime begin{};
};

/// Records the parts of traces, and tells the observer about each that ends. If no trace is
/// recorded, all functions return at once: every transaction calls them. On the shard's thread.
class Tracing {
 public:
  explicit Tracing(ShardEnv& env) : env_(env) {}

  /// Begins a request that may create a transaction, and fills in `request.trace`. Null: it is not
  /// recorded.
  std::unique_ptr<RequestSpan> begin(std::string_view name, TransRequest& request,
                                     const RequestContext& context) const {
    if (!records() && !context.trace.is_set() && !request.trace) return nullptr;
    return begin_traced(name, request, context);
  }
  /// Begins a request about a known transaction: recorded if its client records it.
  std::unique_ptr<RequestSpan> begin(std::string_view name, const Gid& gid, std::string_view mode,
                                     const RequestContext& context) const;
  /// The request, recorded if there is a span.
  template <class T>
  Async<T> recorded(std::unique_ptr<RequestSpan> span, Async<T>&& request) const {
    if (span) return with_end(std::move(span), std::move(request));
    return std::move(request);
  }

  /// Called when a transaction has come into memory, or its headers have changed.
  void look_at(LiveTrans& live) const {
    if (records() && !live.trace && !live.trans.options.branch_headers.empty()) {
      look_at_headers(live);
    }
  }

  void begin_pass(LiveTrans& live) const {
    if (live.trace) begin_traced_pass(live);
  }
  void end_pass(LiveTrans& live, const Result<>& result, bool without_error) const {
    if (live.trace) end_traced_pass(live, result, without_error);
  }

  /// The result is valid until end_call, and null if the trace is not recorded.
  const TraceParent* begin_call(LiveTrans& live) const {
    return live.trace ? begin_traced_call(live) : nullptr;
  }
  void end_call(LiveTrans& live, const BranchCall& call, const BranchReply& reply,
                std::chrono::nanoseconds took) const {
    if (call.trace != nullptr) end_traced_call(live, call, reply, took);
  }

  /// The beginning of a change; null if it is not recorded.
  std::unique_ptr<CommitSpan> begin_commit(const std::optional<TraceContext>& trace) const {
    return records() && trace ? begin_commit_below(trace->parent) : nullptr;
  }
  std::unique_ptr<CommitSpan> begin_commit(const LiveTrans& live) const {
    return live.trace ? begin_commit_below(live.trace->current()) : nullptr;
  }
  void end_commit(const std::unique_ptr<CommitSpan>& commit, const Gid& gid, const Mode& mode,
                  const Result<>& result) const {
    if (commit) end_traced_commit(*commit, gid, mode, result);
  }

 private:
  bool records() const noexcept { return env_.options.trace.records; }
  std::unique_ptr<RequestSpan> begin_traced(std::string_view name, TransRequest& request,
                                            const RequestContext& context) const;
  template <class T>
  Async<T> with_end(std::unique_ptr<RequestSpan> span, Async<T> request) const;
  void look_at_headers(LiveTrans& live) const;
  void begin_traced_pass(LiveTrans& live) const;
  void end_traced_pass(LiveTrans& live, const Result<>& result, bool without_error) const;
  const TraceParent* begin_traced_call(LiveTrans& live) const;
  void end_traced_call(LiveTrans& live, const BranchCall& call, const BranchReply& reply,
                       std::chrono::nanoseconds took) const;
  std::unique_ptr<CommitSpan> begin_commit_below(const TraceParent& above) const;
  void end_traced_commit(const CommitSpan& commit, const Gid& gid, const Mode& mode,
                         const Result<>& result) const;
  bool draws() const;
  SpanId new_span() const;
  TraceId new_trace() const;
  TraceParent below(const TraceParent& above) const;
  std::unique_ptr<RequestSpan> make(std::string_view name, const TraceParent& above, const Gid& gid,
                                    std::string_view mode) const;
  void end_request(const RequestSpan& span, const std::string& error) const;

  ShardEnv& env_;
};

template <class T>
Async<T> Tracing::with_end(std::unique_ptr<RequestSpan> span, Async<T> request) const {
  Result<T> result = co_await std::move(request);
  end_request(*span, error_text(result));
  co_return result;
}

}  // namespace concerto
