#pragma once

#include <ostream>
#include <string>

#include <concerto/base/clock.hpp>

#include "documents.hpp"
#include "metrics_text.hpp"
#include "terminal.hpp"

namespace concerto::tools {

/// What a coordinator has counted until a moment.
struct LoadReading {
  MetricsText metrics;
  SteadyTime at{};
};

/// What operators are told of a coordinator that was started with --paused.
inline constexpr const char* paused_text =
    "it was started with --paused: it calls no service and refuses applications, until `concerto "
    "begin`";

/// Whether the coordinator was started with --paused and has not begun.
bool is_paused(const MetricsText& metrics);

/// What happened between two readings: rates of a second, and what there is now, which is null if
/// the coordinator does not know it.
json::value document_of(const LoadReading& before, const LoadReading& now);

/// The same for people. `server`: which coordinator it is.
void print_load(std::ostream& out, const LoadReading& before, const LoadReading& now,
                const std::string& server, const Terminal& terminal);

}  // namespace concerto::tools
