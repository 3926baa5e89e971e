// What RFC 9112 and RFC 9110 require of a client, section by section, and how far an answer may
// deviate. A service whose answer cannot be read would be called again for ever, although it did
// its part.
#include <gmock/gmock.h>

#include "http/body_collector.hpp"
#include "http/message_parser.hpp"

namespace concerto::net {
namespace {

constexpr std::size_t header_bytes_max = 1000;

/// The state of the parser after the text.
enum class Reading { refused, needs_more, complete };

struct ClientRule {
  const char* name;
  std::string text;
  Reading reading;
  unsigned status;
  std::string body;
  bool stays;
  bool ends = false;  // the connection ends after the text
};
void PrintTo(const ClientRule& row, std::ostream* out) {
  *out << row.name;
}

Reading read_in_pieces(ResponseParser& parser, const ClientRule& row, std::size_t piece_bytes) {
  std::string held;
  std::string_view text = row.text;
  while (!text.empty() && !parser.is_done()) {
    const std::string_view piece = text.substr(0, piece_bytes);
    text.remove_prefix(piece.size());
    held.append(piece);
    std::size_t used = 0;
    if (parser.feed(held, used) == ParseState::failed) return Reading::refused;
    held.erase(0, used);
  }
  if (parser.is_done()) return Reading::complete;
  if (!row.ends) return Reading::needs_more;
  return parser.feed_end() == ParseState::complete ? Reading::complete : Reading::refused;
}

class Rfc9112Client : public testing::TestWithParam<ClientRule> {};

TEST_P(Rfc9112Client, ReadsAnAnswer) {
  const ClientRule& row = GetParam();
  for (const std::size_t piece_bytes :
       {std::size_t{1} << 20, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5}}) {
    SCOPED_TRACE(piece_bytes);
    BodyCollector body{1000};
    ResponseParser parser{header_bytes_max, body};
    ASSERT_EQ(read_in_pieces(parser, row, piece_bytes), row.reading) << parser.error().message();
    if (row.reading != Reading::complete) continue;
    EXPECT_EQ(parser.status(), row.status);
    EXPECT_EQ(body.take(), row.body);
    EXPECT_EQ(parser.keep_alive(), row.stays);
  }
}

std::string with_line(std::string_view line) {
  return std::string{line} + "\r\nContent-Length: 2\r\n\r\n{}";
}

std::string with_field(std::string_view field) {
  return "HTTP/1.1 200 OK\r\n" + std::string{field} + "\r\nContent-Length: 2\r\n\r\n{}";
}

std::string framed_by(std::string_view fields, std::string_view body) {
  return "HTTP/1.1 200 OK\r\n" + std::string{fields} + "\r\n" + std::string{body};
}

std::string chunked(std::string_view body) {
  return framed_by("Transfer-Encoding: chunked\r\n", body);
}

ClientRule taken(const char* name, std::string text, std::string body = "{}") {
  return {name, std::move(text), Reading::complete, 200, std::move(body), true};
}

ClientRule last(const char* name, std::string text, std::string body = "{}", bool ends = false) {
  return {name, std::move(text), Reading::complete, 200, std::move(body), false, ends};
}

ClientRule refused(const char* name, std::string text, bool ends = false) {
  return {name, std::move(text), Reading::refused, 0, "", false, ends};
}

std::vector<ClientRule> lines() {
  return {
      taken("S4_Reason", with_line("HTTP/1.1 200 OK")),
      taken("S4_NoReason", with_line("HTTP/1.1 200 ")),
      taken("S4_NeitherReasonNorBlank", with_line("HTTP/1.1 200")),
      taken("S4_TwoBlanks", with_line("HTTP/1.1  200 OK")),
      taken("S4_ReasonOfBytesBeyondAscii", with_line("HTTP/1.1 200 \xe5\xa5\xbd")),
      taken("S4_ReasonWithControl", with_line("HTTP/1.1 200 \x01")),
      taken("S2_2_EmptyLineBeforeIt", "\r\n" + with_line("HTTP/1.1 200 OK")),
      taken("S2_2_LinesThatEndWithLf", "HTTP/1.1 200\nContent-Length: 2\n\n{}"),
      taken("S2_3_LaterMinorVersion", with_line("HTTP/1.2 200 OK")),
      last("S2_3_Version1_0", with_line("HTTP/1.0 200 OK")),
      refused("S2_3_OtherMajorVersion", with_line("HTTP/2.0 200 OK")),
      refused("S2_3_NoVersion", with_line("HTTP 200 OK")),
      refused("S4_FourDigits", with_line("HTTP/1.1 2000 OK")),
      refused("S4_TwoDigits", with_line("HTTP/1.1 20 OK")),
      refused("S4_NoDigits", with_line("HTTP/1.1 OK")),
      refused("S4_ReasonWithoutBlank", with_line("HTTP/1.1 200OK")),
      refused("S4_NoStatus", with_line("HTTP/1.1")),
      refused("S4_OtherProtocol", "SSH-2.0-x"),
      refused("S4_EndsInIt", "HTTP/1.1 200", true),
      {"Rfc9110_S15_StatusOutsideOfTheClasses", with_line("HTTP/1.1 999 X"), Reading::complete, 999,
       "{}", true},
  };
}

std::vector<ClientRule> fields() {
  return {
      taken("S5_1_BlankBeforeTheColon", with_field("A : b")),
      taken("S5_1_ALengthWithOne", framed_by("Content-Length : 2\r\n", "{}")),
      taken("S5_1_NameWithBlank", with_field("Set Cookie: b")),
      taken("S5_1_NameBeyondAscii", with_field("\xc3\xa4: b")),
      taken("S5_NoName", with_field(": b")),
      refused("S5_NoColon", with_field("what is this")),
      taken("S5_2_AValueThatGoesOn", with_field("A: b\r\n\tc")),
      taken("S5_2_APassedOverOneThatGoesOn", with_field("A b: c\r\n\td")),
      taken("Rfc9110_S5_5_ControlInAValue", with_field("A: \x01")),
      refused("Rfc9110_S5_5_NulInAValue", with_field(std::string_view{"A: \0", 4})),
      refused("S2_2_CrWithinALine", with_field("A: b\rC: d")),
      refused("S5_LongField", with_field("A: " + std::string(2000, 'x'))),
      last("S9_3_Close", with_field("Connection: close")),
      taken("S9_3_OddList", with_field("Connection: ,@ keep-alive,")),
  };
}

std::vector<ClientRule> bodies() {
  return {
      taken("S6_3_Length", framed_by("Content-Length: 2\r\n", "{}")),
      taken("S6_3_TheSameLengthTwice",
            framed_by("Content-Length: 2\r\nContent-Length: 2\r\n", "{}")),
      refused("S6_3_TwoLengths", framed_by("Content-Length: 2\r\nContent-Length: 3\r\n", "{}")),
      refused("S6_3_NoNumber", framed_by("Content-Length: two\r\n", "{}")),
      refused("S6_3_EndsInTheBody", framed_by("Content-Length: 3\r\n", "{}"), true),
      last("S6_3_UntilTheEnd", framed_by("", "{}"), "{}", true),
      last("S6_3_UntilAnEmptyEnd", framed_by("", ""), "", true),
      {"S6_3_UntilAnEndThatDoesNotCome", framed_by("", "{}"), Reading::needs_more, 0, "", false},
      taken("S6_1_Chunked", chunked("2\r\n{}\r\n0\r\n\r\n")),
      last("S6_1_ChunkedOfVersion1_0",
           "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
           "2\r\n{}\r\n0\r\n\r\n"),
      last(
          "S6_3_ChunkedCountsForMoreThanALength",
          framed_by("Content-Length: 9\r\nTransfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
      taken("S6_1_Identity",
            framed_by("Transfer-Encoding: identity\r\nContent-Length: 2\r\n", "{}")),
      taken("S6_1_IdentityAndChunked",
            framed_by("Transfer-Encoding: identity, chunked\r\n", "2\r\n{}\r\n0\r\n\r\n")),
      refused("S6_1_GzipChunked", framed_by("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")),
      refused("S6_1_Deflate", framed_by("Transfer-Encoding: deflate\r\n", "")),
      refused("S6_1_ChunkedTwice",
              framed_by("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n")),
      {"S6_3_NoContent", "HTTP/1.1 204\r\n\r\n", Reading::complete, 204, "", true},
      {"S6_3_NotModified", "HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", Reading::complete, 304, "",
       true},
      {"Rfc9110_S15_2_Interim", "HTTP/1.1 103\r\nLink: x\r\n\r\n", Reading::complete, 103, "",
       true},
  };
}

std::vector<ClientRule> chunks() {
  return {
      {"S7_1_EndInPieces", "HTTP/1.1 409 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       Reading::complete, 409, "", true},
      {"S7_1_EndThatDoesNotCome", chunked("2\r\n{}\r\n0\r\n"), Reading::needs_more, 0, "", false},
      last("S8_TheConnectionEndsBehindTheLastChunk", chunked("2\r\n{}\r\n0\r\n"), "{}", true),
      refused("S8_TheConnectionEndsBeforeTheLastChunk", chunked("2\r\n{}\r\n"), true),
      refused("S8_TheConnectionEndsInAChunk", chunked("2\r\n{"), true),
      taken("S7_1_BlanksBehindTheSize", chunked("2  \r\n{}\r\n0  \r\n\r\n")),
      taken("S7_1_LfOnly", chunked("2\n{}\n0\n\n")),
      taken("S7_1_1_Extension", chunked("2;a=b\r\n{}\r\n0\r\n\r\n")),
      taken("S7_1_2_Trailer", chunked("2\r\n{}\r\n0\r\nA: b\r\n\r\n")),
      refused("S7_1_NoSize", chunked("zz\r\n")),
      refused("S7_1_ShortChunk", chunked("1\r\n{}\r\n0\r\n\r\n")),
  };
}

const auto row_name = [](const auto& row) { return row.param.name; };

INSTANTIATE_TEST_SUITE_P(Lines, Rfc9112Client, testing::ValuesIn(lines()), row_name);
INSTANTIATE_TEST_SUITE_P(Fields, Rfc9112Client, testing::ValuesIn(fields()), row_name);
INSTANTIATE_TEST_SUITE_P(Bodies, Rfc9112Client, testing::ValuesIn(bodies()), row_name);
INSTANTIATE_TEST_SUITE_P(Chunks, Rfc9112Client, testing::ValuesIn(chunks()), row_name);

TEST(Rfc9112ClientBodies, AnAnswerToHeadHasNone) {
  BodyCollector body{1000};
  ResponseParser parser{header_bytes_max, body};
  parser.skip_body();
  std::size_t used = 0;
  EXPECT_EQ(parser.feed("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\nx", used),
            ParseState::complete);
  EXPECT_EQ(used, std::string_view{"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n"}.size());
  EXPECT_TRUE(parser.keep_alive());
}

}  // namespace
}  // namespace concerto::net
