#pragma once

#include <cstdint>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/base/export.hpp>
#include <concerto/engine/trace.hpp>

namespace concerto {

/// What a coordinator records of a trace.
enum class SpanKind : std::uint8_t {
  request,  ///< a client's request, until it is answered
  pass,     ///< a pass over a transaction
  attempt,  ///< one call to a service
  commit,   ///< a change, until the store has it
};

/// A span that has ended. The views are valid during the call that hands the span over.
struct CONCERTO_EXPORT Span {
  SpanKind kind = SpanKind::request;
  TraceParent self;  ///< the trace, the span's own id and its flags
  SpanId parent;     ///< not set: the span is the root of its trace
  WallTime begin{};
  WallTime end{};
  std::string_view name;  ///< of a request: its name; of an attempt: the op
  std::string_view gid;
  std::string_view mode;
  std::string_view branch_id;  ///< of an attempt
  std::string_view url;        ///< of an attempt, without passwords
  std::string_view result;     ///< of an attempt: its outcome; of a pass: the transaction's status
  std::string_view error;      ///< empty: it ended well
};

/// What a coordinator does with traces. Unless `records` is set, it stores those of clients and
/// hands them on to services as they came.
struct CONCERTO_EXPORT TraceOptions {
  /// False: the traces of clients' requests are neither stored nor handed on.
  bool propagates = true;
  bool records = false;
  /// The part of the requests without a trace that begin one, from 0 to 1. A request with a trace
  /// is recorded if its client records it.
  double sample = 0;
};

}  // namespace concerto
