// What the keys of traces say.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/protocol/trace_exporter.hpp>

namespace concerto::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(TraceEndpoints, AreHostAndPortPerhapsWithTls) {
  struct Case {
    const char* text;
    const char* target;
    bool uses_tls;
  };
  for (const Case& row :
       {Case{"", "", false}, Case{"otel:4317", "otel:4317", false},
        Case{"otel", "otel:4317", false}, Case{"http://otel:1/", "otel:1", false},
        Case{"https://otel.b.org", "otel.b.org:4317", true}, Case{"[::1]:9", "[::1]:9", false}}) {
    const auto endpoint = parse_trace_endpoint(row.text);
    ASSERT_TRUE(endpoint) << row.text;
    EXPECT_EQ(endpoint->target, row.target);
    EXPECT_EQ(endpoint->uses_tls, row.uses_tls);
  }
}

TEST(TraceEndpoints, AreRefusedIfTheyAreNoPlace) {
  for (const char* text : {"otel:", "otel:x", "otel:70000", "http://", "grpc://otel:4317",
                           "http://otel:4317/v1/traces", ":4317 "}) {
    const auto endpoint = parse_trace_endpoint(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_THAT(endpoint.error().detail, HasSubstr(text));
  }
}

TEST(TraceHeaderLists, AreNamesWithValues) {
  const auto headers = parse_trace_headers("Authorization=Bearer a=b, x-tenant = 7 ,");
  ASSERT_TRUE(headers);
  EXPECT_THAT(*headers, ElementsAre(Pair("authorization", "Bearer a=b"), Pair("x-tenant", "7")));
  EXPECT_TRUE(parse_trace_headers("")->empty());
}

TEST(TraceHeaderLists, AreRefusedWithoutTellingTheirValues) {
  for (const char* text : {"secret", "=secret", "a b=secret", "a=secret\x01", "\xc3\xa4=secret"}) {
    const auto headers = parse_trace_headers(text);
    ASSERT_FALSE(headers) << text;
    EXPECT_THAT(headers.error().detail, Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace concerto::net
