#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto {

/// The trace that a request is a part of (W3C Trace Context, section 3.2.2.3).
struct CONCERTO_EXPORT TraceId {
  std::array<std::uint8_t, 16> bytes{};  ///< all 0: none

  bool is_set() const noexcept {
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(bytes);
    return (halves[0] | halves[1]) != 0;
  }
  /// 32 hexadecimal digits in lower case; empty when there is none.
  std::string str() const;

  friend bool operator==(const TraceId&, const TraceId&) = default;
};

/// A part of a trace: a request, a call, a change.
struct CONCERTO_EXPORT SpanId {
  std::uint64_t number = 0;  ///< 0: none

  bool is_set() const noexcept { return number != 0; }
  /// 16 hexadecimal digits in lower case; empty when there is none.
  std::string str() const;

  friend bool operator==(const SpanId&, const SpanId&) = default;
};

/// What a `traceparent` field says: a trace, the span that called, and whether the trace is
/// recorded. Cheap to copy.
struct CONCERTO_EXPORT TraceParent {
  static constexpr std::uint8_t sampled_flag = 1;
  /// The flags of version 00 that are handed on: sampled, and that the trace's number is random.
  static constexpr std::uint8_t known_flags = 3;

  TraceId trace;
  SpanId span;
  std::uint8_t flags = 0;

  bool is_set() const noexcept { return trace.is_set(); }
  bool is_sampled() const noexcept { return is_set() && (flags & sampled_flag) != 0; }
  /// The field, in version 00; empty when there is no trace.
  std::string str() const;

  /// A field that breaks the specification counts as absent: nullopt. A field of a later version is
  /// read as far as version 00 goes.
  static std::optional<TraceParent> parse(std::string_view field) noexcept;

  friend bool operator==(const TraceParent&, const TraceParent&) = default;
};

/// A trace with the `tracestate` beside it, as kept_trace_state returns that.
struct TraceContext {
  TraceParent parent;
  std::string state;
};

inline constexpr std::string_view traceparent_name = "traceparent";
inline constexpr std::string_view tracestate_name = "tracestate";

/// Longer fields lose entries at their end.
inline constexpr std::size_t trace_state_bytes_max = 512;
inline constexpr std::size_t trace_state_entries_max = 32;

/// A `tracestate` field as it is handed on: without blanks and empty entries, and not longer than
/// trace_state_bytes_max. Empty if it breaks the specification (section 3.3).
CONCERTO_EXPORT std::string kept_trace_state(std::string_view field);

/// Whether a header of this name is the field: case does not matter.
CONCERTO_EXPORT bool is_traceparent(std::string_view name) noexcept;
CONCERTO_EXPORT bool is_tracestate(std::string_view name) noexcept;

/// The trace among headers for branches; nullopt if they have none that can be read.
CONCERTO_EXPORT std::optional<TraceParent> trace_among(
    const std::map<std::string, std::string>& headers) noexcept;

}  // namespace concerto
