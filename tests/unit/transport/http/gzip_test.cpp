#include <array>
#include <string>
#include <zlib.h>

#include <gmock/gmock.h>

#include "client_fixture.hpp"
#include "http/body_collector.hpp"

namespace concerto::net::test {
namespace {

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

HttpHeaders gzip_headers() {
  HttpHeaders headers;
  headers.add("content-encoding", "GZIP");
  return headers;
}

TEST(BodyCollector, UnpacksInputInPiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i);
  const std::string packed = gzip(text);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, packed.size()}) {
    BodyCollector body{1 << 20};
    body.begin(gzip_headers());
    for (std::size_t i = 0; i < packed.size(); i += piece) {
      ASSERT_FALSE(body.write(std::string_view{packed}.substr(i, piece)));
    }
    EXPECT_TRUE(body.is_whole());
    EXPECT_EQ(body.take(), text);
  }
}

TEST(BodyCollector, UnpacksMembersThatFollowEachOther) {
  BodyCollector body{1000};
  body.begin(gzip_headers());
  EXPECT_FALSE(body.write(gzip("one ") + gzip("") + gzip("two")));
  EXPECT_TRUE(body.is_whole());
  EXPECT_EQ(body.take(), "one two");
}

TEST(BodyCollector, CutsABombAtItsLimit) {
  const std::string bomb = gzip(std::string(64 << 20, '\0'));
  ASSERT_LT(bomb.size(), 100'000U);
  BodyCollector body{1000};
  body.begin(gzip_headers());
  EXPECT_TRUE(body.write(bomb));
  EXPECT_TRUE(body.truncated());
  EXPECT_EQ(body.take().size(), 1000U);
}

TEST(BodyCollector, DetectsDataThatEndsEarlyOrIsBroken) {
  std::string packed = gzip("some text that is long enough to be cut");
  BodyCollector early{1000};
  early.begin(gzip_headers());
  EXPECT_FALSE(early.write(std::string_view{packed}.substr(0, packed.size() - 1)));
  EXPECT_FALSE(early.is_whole());
  packed[packed.size() - 6] ^= 1;  // its checksum
  BodyCollector broken{1000};
  broken.begin(gzip_headers());
  EXPECT_TRUE(broken.write(packed));
  EXPECT_FALSE(broken.truncated());
}

TEST(BodyCollector, ChecksItsLimitBeforeBrokenDataInPiecesOfAnySize) {
  std::string packed = gzip(std::string(5'000, 'x'));
  packed[packed.size() - 6] ^= 1;  // its checksum
  for (const std::size_t piece : {std::size_t{1}, packed.size()}) {
    BodyCollector body{1000};
    body.begin(gzip_headers());
    error_code error;
    for (std::size_t i = 0; i < packed.size() && !error; i += piece) {
      error = body.write(std::string_view{packed}.substr(i, piece));
    }
    EXPECT_TRUE(body.truncated()) << piece;
    EXPECT_EQ(body.take().size(), 1000U) << piece;
  }
}

TEST(BodyCollector, FindsMarksBeyondTheKeptBytesInPiecesOfAnySize) {
  constexpr std::array<std::string_view, 2> marks{"ONGOING", "FAIL"};
  const std::string text = "kept FAILure; but it goes ONGOING to the end";
  for (std::size_t kept = 0; kept <= text.size(); ++kept) {
    for (std::size_t piece = 1; piece <= text.size(); ++piece) {
      BodyCollector body{1000, kept, marks};
      for (std::size_t begin = 0; begin < text.size(); begin += piece) {
        ASSERT_FALSE(body.write(std::string_view{text}.substr(begin, piece)));
      }
      const std::string whole = body.take();
      ASSERT_EQ(whole, text.substr(0, kept));
      for (std::size_t i = 0; i < marks.size(); ++i) {
        const bool is_kept = whole.find(marks[i]) != whole.npos;
        ASSERT_TRUE(is_kept || (body.marks_beyond() >> i & 1)) << kept << ' ' << piece;
      }
    }
  }
}

TEST(BodyCollector, FindsNoMarkWhereThereIsNone) {
  constexpr std::array<std::string_view, 1> marks{"ONGOING"};
  BodyCollector body{1000, 3, marks};
  for (const char* piece : {"ONGOIN", "ON", "GO", "IN", "ONGOIN", "", "g"}) body.write(piece);
  EXPECT_EQ(body.marks_beyond(), 0u);
  body.write("ONGO");
  body.write("ING");
  EXPECT_EQ(body.marks_beyond(), 1u);
}

TEST(BodyCollector, GivesUpItsBytesWhenTheBudgetNeedsRoom) {
  BufferBudget budget{{1 << 20, 1 << 20}};
  const std::string piece(100'000, 'x');
  BodyCollector small{1 << 22, std::string::npos, {}, &budget};
  BodyCollector large{1 << 22, std::string::npos, {}, &budget};
  EXPECT_FALSE(small.write(piece));
  EXPECT_GE(budget.used_bytes(), piece.size());
  error_code error;
  for (int i = 0; i < 20 && !error; ++i) error = large.write(piece);
  EXPECT_EQ(error, MessageErrc::no_room);
  EXPECT_LE(budget.used_bytes(), std::size_t{1} << 20);
  EXPECT_FALSE(small.write(piece)) << "who holds most makes room";
  EXPECT_EQ(small.take().size(), 2 * piece.size());
  EXPECT_EQ(large.write(""), MessageErrc::no_room);
}

TEST(BodyCollector, TakesABodyOfExactlyTheLimit) {
  BodyCollector body{3};
  body.begin({});
  EXPECT_FALSE(body.write("abc"));
  EXPECT_FALSE(body.truncated());
  EXPECT_TRUE(body.write("d"));
  EXPECT_TRUE(body.truncated());
  EXPECT_EQ(body.take(), "abc");
}

class HttpClientGzip : public ClientTest {};

TEST_F(HttpClientGzip, IsUnpacked) {
  ScriptedServer server{executor()};
  const std::string packed = gzip("FAILURE inside");
  const auto answer = ask(server, 0);
  EXPECT_THAT(server[0].received(), testing::HasSubstr("\r\nAccept-Encoding: gzip\r\n"));
  server[0].send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                 std::to_string(packed.size()) + "\r\n\r\n" + packed);
  EXPECT_EQ(finish(answer)->body, "FAILURE inside");
  EXPECT_EQ(client_->idle_connection_count(), 1U);
}

TEST_F(HttpClientGzip, MayHaveNoBody) {
  ScriptedServer server{executor()};
  const auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(finish(answer)->body, "");
}

TEST_F(HttpClientGzip, BombIsCut) {
  HttpClientOptions options;
  options.body_bytes_max = 1000;
  make_client(options);
  ScriptedServer server{executor()};
  const std::string bomb = gzip(std::string(10 << 20, 'x'));
  const auto answer = ask(server, 0);
  server[0].send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                 std::to_string(bomb.size()) + "\r\n\r\n" + bomb);
  const Answer result = finish(answer);
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->truncated);
  EXPECT_EQ(result->body.size(), 1000U);
}

}  // namespace
}  // namespace concerto::net::test
