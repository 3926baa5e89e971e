#include "grpc/wire.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace concerto::net::detail {
namespace {

using namespace std::chrono_literals;

struct TimeoutCase {
  const char* name;
  const char* text;
  std::optional<std::chrono::nanoseconds> want;
};

class ParseTimeout : public testing::TestWithParam<TimeoutCase> {};

TEST_P(ParseTimeout, GivesTheDuration) {
  EXPECT_EQ(parse_timeout(GetParam().text), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Wire, ParseTimeout,
    testing::Values(
        TimeoutCase{"Hours", "2H", 2h}, TimeoutCase{"Minutes", "3M", 3min},
        TimeoutCase{"Seconds", "4S", 4s}, TimeoutCase{"Milliseconds", "5m", 5ms},
        TimeoutCase{"Microseconds", "2998218u", 2998218us}, TimeoutCase{"Nanoseconds", "7n", 7ns},
        TimeoutCase{"Zero", "0n", 0ns}, TimeoutCase{"EightDigits", "99999999S", 99999999s},
        TimeoutCase{"TooLongForNanoseconds", "99999999H", std::chrono::nanoseconds::max()},
        TimeoutCase{"NineDigits", "999999999n", std::nullopt},
        TimeoutCase{"Empty", "", std::nullopt}, TimeoutCase{"NoDigits", "S", std::nullopt},
        TimeoutCase{"NoUnit", "12", std::nullopt}, TimeoutCase{"UnknownUnit", "1x", std::nullopt},
        TimeoutCase{"Negative", "-1S", std::nullopt}, TimeoutCase{"Space", " 1S", std::nullopt},
        TimeoutCase{"Fraction", "1.5S", std::nullopt}),
    [](const auto& row) { return row.param.name; });

struct TimeoutTextCase {
  const char* name;
  std::chrono::nanoseconds timeout;
  const char* want;
};

class FormatTimeout : public testing::TestWithParam<TimeoutTextCase> {};

TEST_P(FormatTimeout, UsesTheFinestUnitThatFits) {
  EXPECT_EQ(TimeoutText(GetParam().timeout).view(), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Wire, FormatTimeout,
                         testing::Values(TimeoutTextCase{"Nanoseconds", 99'999'999ns, "99999999n"},
                                         TimeoutTextCase{"RoundsUp", 100'000'001ns, "100001u"},
                                         TimeoutTextCase{"ThreeSeconds", 3s, "3000000u"},
                                         TimeoutTextCase{"Minutes", 10min, "600000m"},
                                         TimeoutTextCase{"Negative", -5s, "0n"},
                                         TimeoutTextCase{"Longest", std::chrono::nanoseconds::max(),
                                                         "2562048H"}),
                         [](const auto& row) { return row.param.name; });

TEST(StatusMessage, KeepsPrintableText) {
  EXPECT_EQ(encode_status_message("no money!"), "no money!");
}

TEST(StatusMessage, EncodesBlanksAtBothEnds) {
  EXPECT_EQ(encode_status_message(" no money "), "%20no money%20");
  EXPECT_EQ(encode_status_message(" "), "%20");
}

TEST(StatusMessage, EncodesTheRest) {
  EXPECT_EQ(encode_status_message("100%\n\xC3\xA9"), "100%25%0A%C3%A9");
}

TEST(StatusMessage, KeepsEveryByteThroughEncodingAndDecoding) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(decode_status_message(encode_status_message(all)), all);
}

TEST(StatusMessage, LeavesBrokenEscapesAlone) {
  EXPECT_EQ(decode_status_message("100% %4 %zz %41"), "100% %4 %zz A");
}

TEST(Codes, TakeKnownNumbersOnly) {
  EXPECT_EQ(parse_code("10"), GrpcCode::aborted);
  EXPECT_EQ(parse_code("0"), GrpcCode::ok);
  EXPECT_EQ(parse_code("00"), GrpcCode::unknown);
  EXPECT_EQ(parse_code("010"), GrpcCode::unknown);
  EXPECT_EQ(parse_code("10, 0"), GrpcCode::unknown);
  EXPECT_EQ(parse_code("0 "), GrpcCode::unknown);
  EXPECT_EQ(parse_code("+0"), GrpcCode::unknown);
  EXPECT_EQ(parse_code("17"), GrpcCode::unknown);
  EXPECT_EQ(parse_code("-1"), GrpcCode::unknown);
  EXPECT_EQ(parse_code("1x"), GrpcCode::unknown);
  EXPECT_EQ(parse_code(""), GrpcCode::unknown);
}

TEST(Codes, FollowTheHttpStatus) {
  EXPECT_EQ(code_of_http_status("404"), GrpcCode::unimplemented);
  EXPECT_EQ(code_of_http_status("503"), GrpcCode::unavailable);
  EXPECT_EQ(code_of_http_status("401"), GrpcCode::unauthenticated);
  EXPECT_EQ(code_of_http_status("500"), GrpcCode::unknown);
}

TEST(Codes, PrintAsInGo) {
  EXPECT_EQ(describe({GrpcCode::not_found, "x"}), "rpc error: code = NotFound desc = x");
  EXPECT_EQ(to_string(GrpcCode::cancelled), "Canceled");
}

TEST(Codes, HaveConditions) {
  EXPECT_EQ(make_error_code(GrpcCode::unavailable), Condition::outcome_unknown);
  EXPECT_EQ(make_unsent_error_code(GrpcCode::unavailable), Condition::retry_later);
  EXPECT_EQ(make_error_code(GrpcCode::not_found), Condition::rejected);
  EXPECT_EQ(grpc_code_of(make_unsent_error_code(GrpcCode::internal)), GrpcCode::internal);
  EXPECT_EQ(grpc_code_of(make_error_code(Errc::overloaded)), std::nullopt);
}

TEST(ContentType, MayHaveASuffix) {
  EXPECT_TRUE(is_grpc_content_type("application/grpc"));
  EXPECT_TRUE(is_grpc_content_type("application/grpc+proto"));
  EXPECT_TRUE(is_grpc_content_type("application/grpc+dtm_raw"));
  EXPECT_TRUE(is_grpc_content_type("application/grpc;charset=utf-8"));
  EXPECT_FALSE(is_grpc_content_type("application/grpcx"));
  EXPECT_FALSE(is_grpc_content_type("application/json"));
}

TEST(Metadata, FindsTheFirstValueUnderALowerCaseName) {
  GrpcMetadata metadata;
  metadata.add("X-Name", "1");
  metadata.add("x-name", "2");
  EXPECT_EQ(metadata.size(), 2u);
  EXPECT_EQ(metadata.find("x-name"), "1");
  EXPECT_EQ(metadata.find("other"), std::nullopt);
}

TEST(Metadata, SplitsJoinedBinaryFields) {
  GrpcMetadata metadata;
  ASSERT_TRUE(add_received(metadata, "x-bin", "YQ,YWI="));
  ASSERT_EQ(metadata.size(), 2u);
  EXPECT_EQ(metadata[0].value, "a");
  EXPECT_EQ(metadata[1].value, "ab");
  EXPECT_FALSE(add_received(metadata, "x-bin", "?"));
}

struct FieldCase {
  const char* name;
  const char* field;
  std::string value;
  bool want;
};

class SendField : public testing::TestWithParam<FieldCase> {};

TEST_P(SendField, IsCheckedFirst) {
  GrpcMetadata metadata;
  metadata.add(GetParam().field, GetParam().value);
  http2::HeaderBlock block;
  MetadataFields fields;
  std::string why;
  EXPECT_EQ(fields.add_to(block, metadata, why), GetParam().want);
  EXPECT_EQ(why.empty(), GetParam().want);
  EXPECT_EQ(block.size(), GetParam().want ? 1u : 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Wire, SendField,
    testing::Values(FieldCase{"Plain", "dtm-gid", "g1", true},
                    FieldCase{"EmptyValue", "dtm-dtm", "", true},
                    FieldCase{"Underscore", "dtm-trans_type", "saga", true},
                    FieldCase{"Binary", "x-bin", std::string("\0\xff", 2), true},
                    FieldCase{"LineBreak", "x", "a\r\nb: c", false},
                    FieldCase{"NotAscii", "x", "\xC3\xA9", false},
                    FieldCase{"EmptyName", "", "v", false},
                    FieldCase{"PseudoHeader", ":path", "/x", false},
                    FieldCase{"SpaceInName", "a b", "v", false},
                    FieldCase{"GrpcsOwn", "grpc-timeout", "1S", false},
                    FieldCase{"AcceptEncoding", "grpc-accept-encoding", "gzip", false},
                    FieldCase{"OfATrace", "grpc-trace-bin", std::string("\0\1", 2), true},
                    FieldCase{"ContentType", "content-type", "text/html", false},
                    FieldCase{"Te", "te", "gzip", false}),
    [](const auto& row) { return row.param.name; });

TEST(Metadata, OnlyRepeatedValuesAreIndexed) {
  GrpcMetadata metadata;
  metadata.add("dtm-gid", "g1");
  metadata.add_repeated("dtm-op", "action");
  metadata.add("authorization", std::string(64, 't'));  // Long values mostly repeat.
  http2::HeaderBlock block;
  MetadataFields fields;
  std::string why;
  ASSERT_TRUE(fields.add_to(block, metadata, why));
  const std::vector<bool> want{false, true, true};
  std::vector<bool> indexed;
  for (std::size_t i = 0; i < block.size(); ++i) {
    indexed.push_back((block.data()[i].flags & NGHTTP2_NV_FLAG_NO_INDEX) == 0);
  }
  EXPECT_EQ(indexed, want);
}

}  // namespace
}  // namespace concerto::net::detail
