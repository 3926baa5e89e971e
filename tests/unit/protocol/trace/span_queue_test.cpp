#include <otlp_trace.pb.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/protocol/span_queue.hpp>

namespace concerto::net {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

Span span_of(SpanKind kind) {
  Span span;
  span.kind = kind;
  span.self = *TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  span.parent.number = 0x0102030405060708;
  span.begin = WallTime(std::chrono::nanoseconds(1'000));
  span.end = WallTime(std::chrono::nanoseconds(3'000));
  span.gid = "g";
  span.mode = "saga";
  return span;
}

otlp::Span read(const std::string& bytes) {
  otlp::Span span;
  EXPECT_TRUE(span.ParseFromString(bytes));
  return span;
}

std::string attribute(const otlp::Span& span, const std::string& key) {
  for (const auto& one : span.attributes()) {
    if (one.key() == key) return one.value().string_value();
  }
  return "(none)";
}

TEST(SpanQueue, HasSpansAsOtlpWritesThem) {
  SpanQueue queue;
  Span span = span_of(SpanKind::attempt);
  span.name = "action";
  span.branch_id = "01";
  span.url = "http://stock/deduct?token=x";
  span.result = "error";
  span.error = "refused";
  queue.add(span);
  const auto taken = queue.take(10);
  ASSERT_THAT(taken, SizeIs(1));
  const otlp::Span read_back = read(taken[0]);
  EXPECT_EQ(read_back.trace_id(), std::string("\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6"
                                              "\xa3\xce\x92\x9d\x0e\x0e\x47\x36"));
  EXPECT_EQ(read_back.span_id(), std::string("\0\xf0\x67\xaa\x0b\xa9\x02\xb7", 8));
  EXPECT_EQ(read_back.parent_span_id(), std::string("\1\2\3\4\5\6\7\x08"));
  EXPECT_EQ(read_back.name(), "call action");
  EXPECT_EQ(read_back.kind(), 3);
  EXPECT_EQ(read_back.start_time_unix_nano(), 1'000U);
  EXPECT_EQ(read_back.end_time_unix_nano(), 3'000U);
  EXPECT_EQ(attribute(read_back, "concerto.gid"), "g");
  EXPECT_EQ(attribute(read_back, "url.full"), "http://stock/deduct");
  EXPECT_EQ(attribute(read_back, "concerto.outcome"), "error");
  EXPECT_EQ(read_back.status().code(), 2);
  EXPECT_EQ(read_back.status().message(), "refused");
}

TEST(SpanQueue, NamesTheKindsOfSpans) {
  SpanQueue queue;
  for (const SpanKind kind : {SpanKind::request, SpanKind::pass, SpanKind::commit}) {
    Span span = span_of(kind);
    if (kind == SpanKind::request) span.name = "submit";
    queue.add(span);
  }
  const auto taken = queue.take(10);
  ASSERT_THAT(taken, SizeIs(3));
  EXPECT_EQ(read(taken[0]).name() + " " + std::to_string(read(taken[0]).kind()), "submit 2");
  EXPECT_EQ(read(taken[1]).name() + " " + std::to_string(read(taken[1]).kind()), "pass 1");
  EXPECT_EQ(read(taken[2]).name() + " " + std::to_string(read(taken[2]).kind()), "commit 1");
  EXPECT_EQ(read(taken[0]).status().code(), 0);
}

TEST(SpanQueue, TakesTextsThatAreNotUtf8) {
  SpanQueue queue;
  Span span = span_of(SpanKind::pass);
  span.gid = "\xff";
  queue.add(span);
  EXPECT_EQ(attribute(read(queue.take(1)[0]), "concerto.gid"), "\xef\xbf\xbd");
}

TEST(SpanQueue, DropsAndCountsWhatItHasNoRoomFor) {
  SpanQueue queue(3);
  for (int i = 0; i < 5; ++i) queue.add(span_of(SpanKind::pass));
  EXPECT_EQ(queue.dropped(), 2U);
  EXPECT_THAT(queue.take(2), SizeIs(2));
  queue.add(span_of(SpanKind::pass));
  EXPECT_EQ(queue.dropped(), 2U);
  EXPECT_THAT(queue.take(10), SizeIs(2));
  EXPECT_THAT(queue.take(10), IsEmpty());
}

TEST(SpanQueue, HasALimitOfBytesToo) {
  SpanQueue queue(1'000, 300);
  for (int i = 0; i < 100; ++i) queue.add(span_of(SpanKind::pass));
  const auto taken = queue.take(1'000);
  std::size_t bytes = 0;
  for (const std::string& span : taken) bytes += span.size();
  EXPECT_LE(bytes, 300U);
  EXPECT_FALSE(taken.empty());
  EXPECT_EQ(queue.dropped() + taken.size(), 100U);
}

}  // namespace
}  // namespace concerto::net
