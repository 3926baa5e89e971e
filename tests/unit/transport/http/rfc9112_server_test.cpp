// What RFC 9112 and RFC 9110 require of a server, section by section. Each row has a request, its
// status, whether the connection stays open, and what the handler sees.
#include <gmock/gmock.h>

#include <concerto/transport/percent.hpp>

#include "http/message_parser.hpp"

namespace concerto::net {
namespace {

constexpr std::size_t header_bytes_max = 1000;
constexpr std::size_t body_bytes_max = 20;

struct ServerRule {
  const char* name;
  std::string text;
  unsigned status;  // 200: the request was read
  bool stays;
  std::string sees;  // the path, a blank and the body
};
void PrintTo(const ServerRule& row, std::ostream* out) {
  *out << row.name;
}

/// Feeds the request in pieces of this size; false at the first error.
bool feed_in_pieces(RequestParser& parser, std::string_view text, std::size_t piece_bytes) {
  std::string held;
  while (!text.empty() && !parser.is_done()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    text.remove_prefix(piece.size());
    held.append(piece);
    std::size_t used = 0;
    if (parser.feed(held, used) == ParseState::failed) return false;
    held.erase(0, used);
  }
  return true;
}

class Rfc9112Server : public testing::TestWithParam<ServerRule> {};

// Every row is read in one piece and in pieces of 1 to 5 bytes, because reads may end anywhere.
TEST_P(Rfc9112Server, ReadsARequest) {
  const ServerRule& row = GetParam();
  for (const std::size_t piece_bytes :
       {std::size_t{1} << 20, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5}}) {
    SCOPED_TRACE(piece_bytes);
    RequestParser parser{header_bytes_max, body_bytes_max};
    const bool legal = feed_in_pieces(parser, row.text, piece_bytes);
    ASSERT_EQ(legal, row.status == 200) << parser.error().message();
    if (!legal) {
      EXPECT_EQ(parser.refusal_status(), row.status) << parser.error().message();
      continue;
    }
    ASSERT_TRUE(parser.is_done());
    EXPECT_EQ(parser.keep_alive(), row.stays);
    std::string sees = parser.request().path;
    if (!parser.request().body.empty()) sees += " " + parser.request().body;
    EXPECT_EQ(sees, row.sees);
  }
}

std::string get(std::string_view fields) {
  return "GET /p HTTP/1.1\r\nHost: h\r\n" + std::string{fields} + "\r\n";
}

std::string target(std::string_view target) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: h\r\n\r\n";
}

std::string host(std::string_view line) {
  return "GET /p HTTP/1.1\r\n" + std::string{line} + "\r\n\r\n";
}

std::string post(std::string_view fields, std::string_view body) {
  return "POST /p HTTP/1.1\r\nHost: h\r\n" + std::string{fields} + "\r\n" + std::string{body};
}

std::string chunked(std::string_view body) {
  return post("Transfer-Encoding: chunked\r\n", body);
}

std::vector<ServerRule> lines() {
  return {
      {"S2_2_AnEmptyLineBeforeIt", "\r\n\r\n" + get(""), 200, true, "/p"},
      {"S2_2_ARequestLineThatEndsWithLf", "GET /p HTTP/1.1\nHost: h\r\n\r\n", 400, false, ""},
      {"S2_2_AFieldThatEndsWithLf", "GET /p HTTP/1.1\r\nHost: h\n\r\n", 400, false, ""},
      {"S2_2_AHeaderThatEndsWithLf", "GET /p HTTP/1.1\r\nHost: h\r\n\n", 400, false, ""},
      {"S2_2_CrWithinALine", "GET /p HTTP/1.1\r\nHost: h\rA: b\r\n\r\n", 400, false, ""},
      {"S2_2_BlankBeforeTheFirstField", "GET /p HTTP/1.1\r\n Host: h\r\n\r\n", 400, false, ""},
      {"S2_2_OtherProtocol", "\x16\x03\x01", 400, false, ""},
      {"S2_3_LaterMinorVersion", "GET /p HTTP/1.7\r\nHost: h\r\n\r\n", 200, true, "/p"},
      {"S2_3_OtherMajorVersion", "GET /p HTTP/2.0\r\nHost: h\r\n\r\n", 505, false, ""},
      {"S2_3_LowerCase", "GET /p http/1.1\r\nHost: h\r\n\r\n", 400, false, ""},
      {"S3_NoVersion", "GET /p\r\nHost: h\r\n\r\n", 400, false, ""},
      {"S3_TwoBlanks", "GET  /p HTTP/1.1\r\nHost: h\r\n\r\n", 400, false, ""},
      {"S3_BlankBehind", "GET /p HTTP/1.1 \r\nHost: h\r\n\r\n", 400, false, ""},
      {"S3_1_MethodWithColon", "G:T /p HTTP/1.1\r\nHost: h\r\n\r\n", 400, false, ""},
      {"S3_1_UnknownMethod", "BREW /p HTTP/1.1\r\nHost: h\r\n\r\n", 200, true, "/p"},
      {"S3_LongLine", target("/" + std::string(2000, 'a')), 431, false, ""},
  };
}

std::vector<ServerRule> targets() {
  return {
      {"S3_2_NoHost", host("A: b"), 400, false, ""},
      {"S3_2_TwoHosts", host("Host: a\r\nHost: b"), 400, false, ""},
      {"S3_2_TheSameHostTwice", host("Host: a\r\nHost: a"), 400, false, ""},
      {"S3_2_TwoHostsOfVersion1_0", "GET /p HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, false,
       ""},
      {"S3_2_NoHostOfVersion1_0", "GET /p HTTP/1.0\r\n\r\n", 200, false, "/p"},
      {"S3_2_EmptyHost", host("Host:"), 200, true, "/p"},
      {"S3_2_HostWithPort", host("Host: a.b:80"), 200, true, "/p"},
      {"S3_2_HostOfVersion6", host("Host: [::1]:80"), 200, true, "/p"},
      {"S3_2_HostWithUnderscore", host("Host: my_service:80"), 200, true, "/p"},
      {"S3_2_HostWithPath", host("Host: a/b"), 400, false, ""},
      {"S3_2_HostWithUser", host("Host: c@d"), 400, false, ""},
      {"S3_2_HostWithAllOfThem", host("Host: a/b?c@d"), 400, false, ""},
      {"S3_2_HostWithBlank", host("Host: a b"), 400, false, ""},
      {"S3_2_HostWithBadPort", host("Host: a:b"), 400, false, ""},
      {"S3_2_HostWithTwoPorts", host("Host: a:1:2"), 400, false, ""},
      {"S3_2_HostThatDoesNotEnd", host("Host: [::1"), 400, false, ""},
      {"S3_2_1_OnlyAQuery", target("?x"), 400, false, ""},
      {"S3_2_1_NoSlash", target("p"), 400, false, ""},
      {"S3_2_1_WithQuery", target("/p?x=/y"), 200, true, "/p"},
      {"S3_2_1_Fragment", target("/p#x"), 400, false, ""},
      {"S3_2_1_Control", target("/p\x7f"), 400, false, ""},
      {"S3_2_1_BrokenEscape", target("/p%2"), 400, false, ""},
      {"Rfc3986_S2_2_EncodedSlash", target("/api%2fping"), 200, true, "/api%2Fping"},
      {"Rfc3986_S2_2_EncodedPercent", target("/a%252Fb"), 200, true, "/a%252Fb"},
      {"Rfc3986_S2_3_EncodedLetter", target("/%70"), 400, false, ""},
      {"Rfc3986_S2_3_EncodedDot", target("/p/%2e%2E/q"), 400, false, ""},
      {"Rfc3986_S2_3_EncodedTilde", target("/%7ep"), 200, true, "/~p"},
      {"S3_2_2_AbsoluteForm", target("http://other:1/p?x"), 200, true, "/p"},
      {"S3_2_2_AbsoluteFormWithoutPath", target("http://other"), 200, true, "/"},
      {"S3_2_2_AbsoluteFormWithUser", target("http://a@b/p"), 400, false, ""},
      {"S3_2_2_AbsoluteFormWithoutHost", target("http:///p"), 400, false, ""},
      {"S3_2_3_AuthorityForm", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 200, true, "a:1"},
      {"S3_2_3_AuthorityFormOfGet", target("a:1"), 400, false, ""},
      {"S3_2_4_AsteriskForm", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 200, true, "*"},
      {"S3_2_4_AsteriskFormOfGet", target("*"), 400, false, ""},
  };
}

std::vector<ServerRule> fields() {
  return {
      {"S5_NoColon", get("A b\r\n"), 400, false, ""},
      {"S5_NoName", get(": b\r\n"), 400, false, ""},
      {"S5_NoValue", get("A:\r\n"), 200, true, "/p"},
      {"S5_1_BlankBeforeTheColon", get("A : b\r\n"), 400, false, ""},
      {"S5_1_BlankInAName", get("A b: c\r\n"), 400, false, ""},
      {"S5_2_AValueThatGoesOn", get("A: b\r\n\t c\r\nD: e\r\n"), 400, false, ""},
      {"S5_2_ACodingThatGoesOn", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 400,
       false, ""},
      {"S5_2_AHostThatGoesOn", host("Host: a\r\n b"), 400, false, ""},
      {"Rfc9110_S5_5_ControlInAValue", get("A: \x01\r\n"), 400, false, ""},
      {"Rfc9110_S5_5_NulInAValue", get(std::string_view{"A: \0\r\n", 6}), 400, false, ""},
      {"Rfc9110_S5_5_BytesBeyondAscii", get("A: \xc3\xa4\r\n"), 200, true, "/p"},
      {"S5_ManyFields", get("A: " + std::string(600, 'x') + "\r\nB: " + std::string(600, 'x')), 431,
       false, ""},
      {"Rfc9110_S8_4_Gzip", post("Content-Encoding: gzip\r\nContent-Length: 3\r\n", "abc"), 415,
       false, ""},
      {"Rfc9110_S8_4_Brotli",
       post("Content-Encoding: br\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 415, false, ""},
      {"Rfc9110_S8_4_NoCoding", post("Content-Encoding: utf-8\r\nContent-Length: 3\r\n", "abc"),
       200, true, "/p abc"},
      {"Rfc9110_S8_4_NoBody", get("Content-Encoding: gzip\r\n"), 200, true, "/p"},
      {"Rfc9110_S10_1_1_OtherExpectation", get("Expect: tea\r\n"), 417, false, ""},
      {"S9_3_Close", get("Connection: a, Close\r\n"), 200, false, "/p"},
      {"S9_3_CloseInTheSecondField", get("Connection: a\r\nConnection: close\r\n"), 200, false,
       "/p"},
      {"S9_3_OddList", get("Connection: ,, @\r\n"), 200, true, "/p"},
      {"S9_3_Version1_0Stays", "GET /p HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, true,
       "/p"},
  };
}

std::vector<ServerRule> bodies() {
  return {
      {"S6_Length", post("Content-Length: 3\r\n", "abc"), 200, true, "/p abc"},
      {"S6_NoLength", post("", ""), 200, true, "/p"},
      {"S6_1_Chunked", chunked("1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), 200, true, "/p abc"},
      {"S6_1_ChunkedInAnyCase", post("Transfer-Encoding: ChunkeD\r\n", "0\r\n\r\n"), 200, true,
       "/p"},
      {"S6_1_GzipChunked", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501, false,
       ""},
      {"S6_1_GzipAndChunkedInTwoFields",
       post("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501, false,
       ""},
      {"S6_1_ChunkedTwice", post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"), 400,
       false, ""},
      {"S6_1_Version1_0",
       "POST /p HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
       "3\r\nabc\r\n0\r\n\r\n",
       400, false, ""},
      {"S6_3_ChunkedNotLast", post("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 400, false,
       ""},
      {"S6_3_OnlyGzip", post("Transfer-Encoding: gzip\r\n", ""), 400, false, ""},
      {"S6_3_Identity", post("Transfer-Encoding: identity\r\n", ""), 400, false, ""},
      {"S6_3_EmptyCoding", post("Transfer-Encoding:\r\n", ""), 400, false, ""},
      {"S6_3_EmptyCodingBesideChunked", post("Transfer-Encoding: ,chunked\r\n", "0\r\n\r\n"), 400,
       false, ""},
      {"S6_3_LengthAndChunked",
       post("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400, false, ""},
      {"S6_3_ChunkedAndLength",
       post("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400, false, ""},
      {"S6_3_TwoLengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), 400, false,
       ""},
      {"S6_3_TheSameLengthTwice", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 200,
       true, "/p abc"},
      {"S6_3_AListOfTheSameLength", post("Content-Length: 3, 3\r\n", "abc"), 200, true, "/p abc"},
      {"S6_3_SignedLength", post("Content-Length: +3\r\n", "abc"), 400, false, ""},
      {"S6_3_NegativeLength", post("Content-Length: -3\r\n", "abc"), 400, false, ""},
      {"S6_3_HexLength", post("Content-Length: 0x3\r\n", "abc"), 400, false, ""},
      {"S6_3_EmptyLength", post("Content-Length:\r\n", "abc"), 400, false, ""},
      {"S6_3_HugeLength", post("Content-Length: 99999999999999999999\r\n", "abc"), 400, false, ""},
      {"S6_3_LengthBeyondTheLimit", post("Content-Length: 21\r\n", ""), 413, false, ""},
  };
}

std::vector<ServerRule> chunks() {
  return {
      {"S7_1_EndInPieces", chunked("0\r\n\r\n"), 200, true, "/p"},
      {"S7_1_ManyZeros", chunked("0000000000000003\r\nabc\r\n000\r\n\r\n"), 200, true, "/p abc"},
      {"S7_1_TooManyDigits", chunked("10000000000000003\r\nabc"), 400, false, ""},
      {"S7_1_UpperAndLowerCase", chunked("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n"), 200,
       true, "/p 01234567890123456789"},
      {"S7_1_BlankBehindTheSize", chunked("3 \r\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_TabBehindTheSize", chunked("3\t\r\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_BlankBehindTheLastSize", chunked("3\r\nabc\r\n0 \r\n\r\n"), 400, false, ""},
      {"S7_1_1_BlanksBeforeAnExtension", chunked("3 \t;a\r\nabc\r\n0 ;b\r\n\r\n"), 200, true,
       "/p abc"},
      {"S7_1_BlankBeforeTheSize", chunked(" 3\r\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_NoSize", chunked("\r\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_SignedSize", chunked("-3\r\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_HexPrefix", chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_NoLineEndBehindAChunk", chunked("3\r\nabcd\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_LfOnly", chunked("3\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_LfOnlyBehindAChunk", chunked("3\r\nabc\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_BeyondTheLimit", chunked("15\r\n" + std::string(21, 'x')), 413, false, ""},
      {"S7_1_1_Extension", chunked("3;a=\"b\";c\r\nabc\r\n0;d\r\n\r\n"), 200, true, "/p abc"},
      {"S7_1_1_ControlInAnExtension", chunked("3;\x01\r\nabc\r\n0\r\n\r\n"), 400, false, ""},
      {"S7_1_1_LongExtension", chunked("3;" + std::string(5000, 'x')), 400, false, ""},
      {"S7_1_2_Trailer", chunked("3\r\nabc\r\n0\r\nA: b\r\n\r\n"), 200, true, "/p abc"},
      {"S7_1_2_ATrailerThatGoesOn", chunked("0\r\nA: b\r\n c\r\n\r\n"), 400, false, ""},
      {"S7_1_2_BrokenTrailer", chunked("3\r\nabc\r\n0\r\nA b\r\n\r\n"), 400, false, ""},
      {"S7_1_2_LongTrailer", chunked("0\r\nA: " + std::string(2000, 'x')), 431, false, ""},
  };
}

const auto row_name = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(Lines, Rfc9112Server, testing::ValuesIn(lines()), row_name);
INSTANTIATE_TEST_SUITE_P(Targets, Rfc9112Server, testing::ValuesIn(targets()), row_name);
INSTANTIATE_TEST_SUITE_P(Fields, Rfc9112Server, testing::ValuesIn(fields()), row_name);
INSTANTIATE_TEST_SUITE_P(Bodies, Rfc9112Server, testing::ValuesIn(bodies()), row_name);
INSTANTIATE_TEST_SUITE_P(Chunks, Rfc9112Server, testing::ValuesIn(chunks()), row_name);

TEST(Rfc9112ServerFields, TheAuthorityOfATargetReplacesHost) {
  RequestParser parser{header_bytes_max, body_bytes_max};
  ASSERT_TRUE(feed_in_pieces(parser, target("http://other:1/p"), 1000));
  EXPECT_EQ(parser.request().headers.find("Host"), "other:1");
}

TEST(Rfc9112ServerFields, ATrailerIsDropped) {
  RequestParser parser{header_bytes_max, body_bytes_max};
  ASSERT_TRUE(feed_in_pieces(parser, chunked("0\r\nA: b\r\n\r\n"), 1000));
  EXPECT_FALSE(parser.request().headers.contains("A"));
}

/// The status that a server with a large limit of header bytes answers.
unsigned status_with_large_headers(const std::string& text) {
  RequestParser parser{std::size_t{64} << 10, body_bytes_max};
  return feed_in_pieces(parser, text, text.size()) ? 200 : parser.refusal_status();
}

std::string repeated(std::string_view text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all.append(text);
  return all;
}

TEST(RequestLimits, FieldsAreCountedAsEachTakesMoreThanItsBytes) {
  // With Host these are 1,000 fields.
  EXPECT_EQ(status_with_large_headers(get(repeated("a:\r\n", 999))), 200U);
  EXPECT_EQ(status_with_large_headers(get(repeated("a:\r\n", 1'000))), 431U);
}

TEST(RequestLimits, ParametersAreCountedAsEachTakesMoreThanItsBytes) {
  EXPECT_EQ(status_with_large_headers(target("/p?a" + repeated("&a", 999))), 200U);
  EXPECT_EQ(status_with_large_headers(target("/p?a" + repeated("&a", 1'000))), 400U);
}

TEST(PathEscapes, AreDecodedOnceSegmentBySegment) {
  EXPECT_EQ(decode_path("/a%2fb%25/%c3%a4%20"), "/a%2Fb%25/\xc3\xa4 ");
  EXPECT_EQ(percent_decode("a%2Fb%25", false), "a/b%");
  EXPECT_FALSE(decode_path("/a%2"));
  EXPECT_FALSE(decode_path("/a%zz"));
}

}  // namespace
}  // namespace concerto::net
