// The coordinator as in engine_cases.cpp, with traces. A file of its own: what GCC inlines there
// must not depend on these cases.

#include <concerto/protocol/span_queue.hpp>

#include "engine_case.hpp"

namespace concerto::bench {
namespace {

/// Puts spans where concertod does.
class QueueObserver final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
  void span_ended(const Span& span) override { queue.add(span); }

  net::SpanQueue queue;
};

/// One request of a hundred begins a trace.
CoordinatorOptions recording_options() {
  CoordinatorOptions options;
  options.trace.records = true;
  options.trace.sample = 0.01;
  return options;
}

class TracedCase final : public SubmitCase<saga, NullStore, 1, QueueObserver> {
 public:
  TracedCase() : SubmitCase(recording_options()) {}

  bool run(std::size_t count) override {
    const bool good = SubmitCase::run(count);
    return good && !observer_.queue.take(1).empty() && observer_.queue.dropped() == 0;
  }
};

}  // namespace

std::vector<CountedRow> traced_cases() {
  return {{"engine/traced", 10'000, make_case<TracedCase>}};
}

}  // namespace concerto::bench
