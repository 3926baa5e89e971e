#pragma once

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <concerto/base/async.hpp>
#include <concerto/base/error.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/request.hpp>
#include <concerto/engine/request_context.hpp>
#include <concerto/engine/span.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

struct LiveTrans;
struct ShardEnv;

/// What a span says of a result; empty if it is no error.
template <class T>
std::string error_text(const Result<T>& result) {
  if (result) return {};
  std::string text = result.error().detail;
  return text.empty() ? "error" : text;
}

/// What is recorded of a transaction in memory whose trace is recorded. Most have none.
struct LiveTrace {
  TraceParent stored;  ///< what is above everything else that is recorded of it
  TraceParent pass;    ///< set while a pass goes on
  WallTime pass_begin{};
  struct Call {
    TraceParent self;
    SpanId parent;
  };
  std::list<Call> calls;  ///< those that run; their addresses are known to callers

  const TraceParent& current() const noexcept { return pass.is_set() ? pass : stored; }
};

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
bool add_trace(std::map<std::string, std::string>& headers, const TraceParent& trace,
               const std::string& state);

void remove_trace(std::map<std::string, std::string>& headers);

/// `named` in place of `stored`, but a trace that is stored stays, unless `named` has one.
std::map<std::string, std::string> with_stored_trace(
    std::map<std::string, std::string> named, const std::map<std::string, std::string>& stored);

/// Records the parts of traces, and tells the observer about each that ends. All functions cost
/// nothing if no trace is recorded. On the shard's thread.
class Tracing {
 public:
  explicit Tracing(ShardEnv& env) : env_(env) {}

  /// Begins a request that may create a transaction, and fills in `request.trace`. Null: it is not
  /// recorded.
  std::unique_ptr<RequestSpan> begin(std::string_view name, TransRequest& request,
                                     const RequestContext& context) const;
  /// Begins a request about a known transaction: recorded if its client records it.
  std::unique_ptr<RequestSpan> begin(std::string_view name, const Gid& gid, std::string_view mode,
                                     const RequestContext& context) const;
  /// The request, recorded if there is a span.
  template <class T>
  Async<T> recorded(std::unique_ptr<RequestSpan> span, Async<T> request) const {
    if (span) return with_end(std::move(span), std::move(request));
    return request;
  }

  /// Called when a transaction has come into memory, or its headers have changed.
  void look_at(LiveTrans& live) const;

  void begin_pass(LiveTrans& live) const;
  void end_pass(LiveTrans& live, const Result<>& result, bool without_error) const;

  /// The result is valid until end_call, and null if the trace is not recorded.
  const TraceParent* begin_call(LiveTrans& live) const;
  void end_call(LiveTrans& live, const BranchCall& call, const BranchReply& reply,
                std::chrono::nanoseconds took) const;

  /// The beginning of a change below `above`; the result is not set if that is not recorded.
  struct Commit {
    TraceParent self;
    SpanId parent;
    WallTime begin{};
  };
  Commit begin_commit(const TraceParent& above) const;
  Commit begin_commit(const LiveTrans& live) const;
  void end_commit(const Commit& commit, const Gid& gid, const Mode& mode,
                  const Result<>& result) const;

 private:
  template <class T>
  Async<T> with_end(std::unique_ptr<RequestSpan> span, Async<T> request) const;
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
