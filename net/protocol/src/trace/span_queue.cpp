#include <algorithm>
#include <array>
#include <otlp_trace.pb.h>
#include <utility>

#include <google/protobuf/arena.h>

#include <concerto/base/utf8.hpp>
#include <concerto/protocol/span_queue.hpp>

namespace concerto::net {
namespace {

constexpr std::size_t error_bytes_max = 512;

constexpr int kind_internal = 1, kind_server = 2, kind_client = 3;
constexpr int status_error = 2;

int kind_of(SpanKind kind) noexcept {
  if (kind == SpanKind::request) return kind_server;
  return kind == SpanKind::attempt ? kind_client : kind_internal;
}

std::string name_of(const Span& span) {
  switch (span.kind) {
    case SpanKind::request:
      return std::string(span.name);
    case SpanKind::attempt:
      return "call " + to_utf8(span.name);
    case SpanKind::commit:
      return "commit";
    case SpanKind::pass:
      break;
  }
  return "pass";
}

std::uint64_t nanoseconds_of(WallTime time) {
  const std::chrono::nanoseconds since = time.time_since_epoch();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(since.count(), 0));
}

std::string bytes_of(SpanId id) {
  std::string bytes(8, '\0');
  unsigned shift = 64;
  for (char& byte : bytes) {
    shift -= 8;
    byte = static_cast<char>(id.number >> shift & 0xffU);
  }
  return bytes;
}

/// What follows the path may give access.
std::string_view without_query(std::string_view url) {
  return url.substr(0, std::min(url.find('?'), url.find('#')));
}

void add_attribute(otlp::Span& to, const char* key, std::string_view value) {
  if (value.empty()) return;
  otlp::KeyValue& attribute = *to.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(to_utf8(value));
}

std::string encoded(const Span& span) {
  // Most spans fit into the block, so that their parts are neither allocated nor freed.
  alignas(std::max_align_t) std::array<char, 2048> block;
  google::protobuf::ArenaOptions options;
  options.initial_block = block.data();
  options.initial_block_size = block.size();
  google::protobuf::Arena arena(options);
  otlp::Span& to = *google::protobuf::Arena::CreateMessage<otlp::Span>(&arena);
  const auto& trace = span.self.trace.bytes;
  to.set_trace_id(std::string(trace.begin(), trace.end()));
  to.set_span_id(bytes_of(span.self.span));
  if (span.parent.is_set()) to.set_parent_span_id(bytes_of(span.parent));
  to.set_name(name_of(span));
  to.set_kind(kind_of(span.kind));
  to.set_start_time_unix_nano(nanoseconds_of(span.begin));
  to.set_end_time_unix_nano(nanoseconds_of(std::max(span.begin, span.end)));
  to.set_flags(span.self.flags);
  add_attribute(to, "concerto.gid", span.gid);
  add_attribute(to, "concerto.mode", span.mode);
  add_attribute(to, "concerto.branch_id", span.branch_id);
  if (span.kind == SpanKind::attempt) add_attribute(to, "concerto.op", span.name);
  add_attribute(to, "url.full", without_query(span.url));
  const bool is_pass = span.kind == SpanKind::pass;
  add_attribute(to, is_pass ? "concerto.status" : "concerto.outcome", span.result);
  if (!span.error.empty()) {
    to.mutable_status()->set_code(status_error);
    to.mutable_status()->set_message(to_utf8(span.error.substr(0, error_bytes_max)));
  }
  return to.SerializeAsString();
}

}  // namespace

void SpanQueue::add(const Span& span) {
  std::string bytes = encoded(span);
  const std::scoped_lock lock(mutex_);
  if (spans_.size() >= spans_max_ || bytes_ + bytes.size() > bytes_max_) {
    ++dropped_;
    return;
  }
  bytes_ += bytes.size();
  spans_.push_back(std::move(bytes));
}

std::vector<std::string> SpanQueue::take(std::size_t count_max) {
  std::vector<std::string> taken;
  const std::scoped_lock lock(mutex_);
  while (!spans_.empty() && taken.size() < count_max) {
    bytes_ -= spans_.front().size();
    taken.push_back(std::move(spans_.front()));
    spans_.pop_front();
  }
  return taken;
}

std::uint64_t SpanQueue::dropped() const {
  const std::scoped_lock lock(mutex_);
  return dropped_;
}

}  // namespace concerto::net
