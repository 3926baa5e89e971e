#include "branch/branch_metadata.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <concerto/engine/mode.hpp>

namespace concerto::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Headers = std::map<std::string, std::string>;

Result<std::vector<std::string>> metadata_of(const Gid& gid, const Headers& headers,
                                             const TraceParent* trace = nullptr) {
  BranchCall call;
  call.gid = &gid;
  call.mode = &modes::msg;
  call.branch_id = "01-02";
  call.op = "action";
  call.headers = &headers;
  call.trace = trace;
  CONCERTO_TRY(const GrpcMetadata metadata, branch_metadata(call));
  std::vector<std::string> lines;
  for (const auto [name, value] : metadata) {
    lines.push_back(std::string{name}.append(": ").append(value));
  }
  return lines;
}

TEST(BranchMetadata, NamesTheCallAndThenTheHeaders) {
  const auto lines =
      metadata_of(Gid{"g1"}, {{"Test_Header", "v"}, {"a.b-c", " ~"}, {"dtm-op", "mine"}});
  ASSERT_TRUE(lines) << lines.error().detail;
  EXPECT_THAT(*lines, ElementsAre("dtm-gid: g1", "dtm-trans_type: msg", "dtm-branch_id: 01-02",
                                  "dtm-op: action", "dtm-dtm: ", "test_header: v", "a.b-c:  ~",
                                  "dtm-op: mine"));
}

TEST(BranchMetadata, LeavesOutWhatTheTransportWrites) {
  const auto lines = metadata_of(Gid{"g"}, {{"Content-Type", "application/json"},
                                            {"TE", "x"},
                                            {"grpc-timeout", "1S"},
                                            {"grpc-accept-encoding", "gzip"},
                                            {"user-agent", "me"}});
  ASSERT_TRUE(lines) << lines.error().detail;
  EXPECT_EQ(lines->size(), 5U);
}

TEST(BranchMetadata, NamesTheAttemptOfARecordedTrace) {
  const auto stored = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto attempt =
      TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-1111111111111111-01").value();
  const auto lines =
      metadata_of(Gid{"g"}, {{"Traceparent", stored}, {"tracestate", "a=1"}}, &attempt);
  ASSERT_TRUE(lines) << lines.error().detail;
  EXPECT_THAT(std::vector(lines->begin() + 5, lines->end()),
              ElementsAre("traceparent: " + attempt.str(), "tracestate: a=1"));
  EXPECT_EQ(metadata_of(Gid{"g"}, {{"traceparent", stored}})->back(),
            "traceparent: " + std::string(stored));
}

TEST(BranchMetadata, CarriesAnyBytesInBinaryHeaders) {
  const auto lines = metadata_of(Gid{"g"}, {{"x-Bin", "\x01\xff"}});
  ASSERT_TRUE(lines) << lines.error().detail;
  EXPECT_EQ(lines->back(), "x-bin: \x01\xff");
}

struct HeaderCase {
  const char* name;
  Headers headers;
  const char* want;
};

void PrintTo(const HeaderCase& row, std::ostream* out) {
  *out << row.name;
}

class BadHeader : public testing::TestWithParam<HeaderCase> {};

TEST_P(BadHeader, IsRefused) {
  const auto lines = metadata_of(Gid{"g"}, GetParam().headers);
  ASSERT_FALSE(lines);
  EXPECT_EQ(lines.error().code, Errc::invalid_request);
  EXPECT_THAT(lines.error().detail, HasSubstr(GetParam().want));
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadHeader,
    testing::Values(HeaderCase{"NoName", {{"", "v"}}, "branch header '' cannot be sent over gRPC"},
                    HeaderCase{"Blank", {{"a b", "v"}}, "header 'a b' cannot"},
                    HeaderCase{"PseudoHeader", {{":path", "/"}}, "header ':path' cannot"},
                    HeaderCase{"LineBreakInName", {{"a\r\nb", "v"}}, "a name consists of"},
                    HeaderCase{"Umlaut", {{"\xC3\xA4", "v"}}, "a name consists of"},
                    HeaderCase{
                        "Connection", {{"Connection", "close"}}, "HTTP/2 has no such header"},
                    HeaderCase{"LineBreakInValue", {{"a", "v\r\nx: y"}}, "not printable ASCII"},
                    HeaderCase{"ValueIsNotAscii", {{"a", "\xC3\xA4"}}, "not printable ASCII"},
                    HeaderCase{"TabInValue", {{"a", "\t"}}, "not printable ASCII"}),
    [](const auto& row) { return row.param.name; });

TEST(BranchMetadata, HeadersOfANewTransactionThatWouldNotBeSentAreNamed) {
  const Gid gid{"g"};
  Headers headers;
  BranchCall call;
  call.gid = &gid;
  call.mode = &modes::saga;
  call.branch_id = "01";
  call.op = "action";
  call.headers = &headers;
  headers = {{"Content-Type", "application/json"}, {"User-Agent", "me"}, {"X-Tenant", "a"}};
  EXPECT_TRUE(check_metadata(call));
  for (const char* name : {"Host", "Connection", "Content-Length", "TE", "grpc-status",
                           "Grpc-Timeout", "grpc-encoding", "grpc-accept-encoding", "grpc-message",
                           ":path", "X-Forwarded-For", "x-concerto-reason"}) {
    headers = {{name, "v"}};
    const Result<> checked = check_metadata(call);
    ASSERT_FALSE(checked) << name;
    EXPECT_THAT(checked.error().detail,
                HasSubstr("branch header '" + std::string{name} + "' cannot be sent over gRPC"));
  }
}

// A stored transaction may have such headers.
TEST(BranchMetadata, HasNoHeaderThatWouldSpeakForOthersAtACoordinator) {
  const Headers headers{{"X-Forwarded-For", "10.0.0.1"}, {"X-Concerto-Reason", "r"}, {"x-a", "b"}};
  const auto lines = metadata_of(Gid{"g"}, headers);
  ASSERT_TRUE(lines);
  for (const std::string& line : *lines) {
    EXPECT_THAT(line, testing::Not(HasSubstr("x-forwarded-for")));
    EXPECT_THAT(line, testing::Not(HasSubstr("x-concerto-reason")));
  }
  EXPECT_EQ(lines->size(), metadata_of(Gid{"g"}, {{"x-a", "b"}})->size());
}

TEST(BranchMetadata, RefusesAGidThatIsNotPrintable) {
  const auto lines = metadata_of(Gid{"g\n"}, {});
  ASSERT_FALSE(lines);
  EXPECT_THAT(lines.error().detail, HasSubstr("'dtm-gid'"));
}

}  // namespace
}  // namespace concerto::net
