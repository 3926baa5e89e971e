#include "store_health.hpp"

#include <utility>

namespace concerto::persist {
namespace {

/// Bucket i has sizes below 2^i.
StoreHistogram group_sizes(const StoreProbe& probe) {
  StoreHistogram sizes;
  sizes.name = "group_size";
  sizes.help = "Changes in a group, which share one sync";
  for (std::size_t i = 0; i < probe.group_sizes.size(); ++i) {
    if (i + 1 < probe.group_sizes.size()) {
      sizes.bounds.push_back(static_cast<double>((1U << i) - 1));
    }
    sizes.counts.push_back(probe.group_sizes[i]);
  }
  sizes.sum = static_cast<double>(probe.changes);
  return sizes;
}

StoreHistogram sync_times(const StoreProbe& probe) {
  StoreHistogram times;
  times.name = "sync_seconds";
  times.help = "Seconds to write a group and sync it";
  // The probe's buckets below 128 us are finer than anybody needs.
  constexpr std::size_t first_shown = 7;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < probe.sync_times.size(); ++i) {
    below += probe.sync_times[i];
    if (i < first_shown) continue;
    if (i + 1 < probe.sync_times.size()) {
      times.bounds.push_back(static_cast<double>(1U << i) / 1e6);
    }
    times.counts.push_back(std::exchange(below, 0));
  }
  times.sum = static_cast<double>(probe.sync_ns) / 1e9;
  return times;
}

}  // namespace

StoreHealth health_of(StoreCore& core) {
  using State = StoreHealth::State;
  StoreHealth health;
  if (core.committer.failed()) {
    health.add(State::failed, "the store takes no writes after a failed one; restart the process");
  }
  if (core.env.disk.reserve().waiting() > 0) {
    health.add(State::recovering, "the store waits: no file descriptor is left");
  }
  if (core.env.disk.space().waiting() > 0) {
    health.add(State::recovering, "the store waits: its disk is full");
  }
  if (core.room.is_short()) {
    health.add(State::refusing, "the disk of the store has no room for new transactions");
  }
  if (core.room.is_low()) {
    health.warnings.push_back("the disk of the store has " +
                              std::to_string(core.room.free_bytes() >> 20) +
                              " MiB left, less than Store.FreeBytesMin");
  }
  return health;
}

StoreNumbers numbers_of(StoreCore& core) {
  const StoreProbe& probe = core.probe;
  StoreNumbers found;
  const auto add = [&found](StoreNumber::Kind kind) {
    return [&found, kind](std::string_view name, std::string_view help, std::uint64_t value) {
      found.numbers.push_back({name, help, kind, static_cast<double>(value)});
    };
  };
  const auto gauge = add(StoreNumber::Kind::gauge);
  const auto counter = add(StoreNumber::Kind::counter);
  gauge("queue_depth", "Changes that wait to be written", probe.queued_changes);
  gauge("queue_bytes", "Bytes that wait to be written", probe.queued_bytes);
  gauge("disk_bytes", "Bytes of the store's files, of all its segments", probe.disk_bytes);
  if (const std::uint64_t free = core.room.free_bytes(); free != UINT64_MAX) {
    gauge("free_bytes", "Room on the disk of the store", free);
  }
  gauge("segments", "Parts of the log that are kept", core.segments.size());
  gauge("descriptor_waits", "Files that wait for a descriptor now",
        core.env.disk.reserve().waiting());
  counter("changes_total", "Changes written", probe.changes);
  counter("bytes_total", "Bytes written", probe.bytes);
  counter("refused_total", "New transactions without room", probe.refused);
  counter("disk_reads_total", "Loads that went to the disk", probe.disk_reads);
  counter("segments_dropped_total", "Segments past retention", probe.segments_dropped);
  found.histograms = {group_sizes(probe), sync_times(probe)};
  return found;
}

}  // namespace concerto::persist
