#include "grpc/message_reader.hpp"

#include <gtest/gtest.h>

#include "grpc/wire.hpp"

namespace concerto::net::detail {
namespace {

using State = MessageReader::State;

std::string framed(std::string_view message) {
  const auto head = message_head(message.size());
  return std::string(head.data(), head.size()) + std::string(message);
}

TEST(MessageReader, FindsMessagesSplitAtEveryByte) {
  const std::string bytes = framed("first") + framed("") + framed(std::string(300, 'x'));
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); second += 7) {
      MessageReader reader(1000);
      EXPECT_EQ(reader.feed(std::string_view(bytes).substr(0, first)), State::reading);
      EXPECT_EQ(reader.feed(std::string_view(bytes).substr(first, second - first)), State::reading);
      EXPECT_EQ(reader.feed(std::string_view(bytes).substr(second)), State::reading);
      ASSERT_EQ(reader.message_count(), 3u);
      EXPECT_EQ(reader.pop(), "first");
      EXPECT_EQ(reader.pop(), "");
      EXPECT_EQ(reader.pop(), std::string(300, 'x'));
      EXPECT_FALSE(reader.has_message());
      EXPECT_FALSE(reader.inside_message());
      EXPECT_EQ(reader.held_bytes(), 0u);
    }
  }
}

TEST(MessageReader, KnowsThatAMessageIsNotComplete) {
  MessageReader reader(100);
  reader.feed(std::string("\0", 1));
  EXPECT_TRUE(reader.inside_message());
  reader.feed(
      std::string("\0\0\0\x05"
                  "ab",
                  6));
  EXPECT_TRUE(reader.inside_message());
  EXPECT_FALSE(reader.has_message());
  EXPECT_GE(reader.held_bytes(), 2u);
}

TEST(MessageReader, KeepsNoBytesOfUnwantedMessages) {
  const std::string bytes = framed(std::string(1000, 'x')) + framed("") + framed("abc");
  MessageReader reader(1000, MessageReader::Keep::nothing);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(reader.feed(std::string_view(bytes).substr(i, 1)), State::reading);
    EXPECT_EQ(reader.inside_message(), i != 1004 && i != 1009 && i + 1 != bytes.size());
    EXPECT_LT(reader.held_bytes(), 400u);
  }
  EXPECT_EQ(reader.message_count(), 3u);
  EXPECT_EQ(reader.received_bytes(), bytes.size());
  EXPECT_EQ(reader.pop(), "");
  EXPECT_EQ(reader.feed(framed(std::string(1001, 'x'))), State::too_large);
}

TEST(MessageReader, TakesAMessageOfExactlyTheLimit) {
  MessageReader reader(10);
  EXPECT_EQ(reader.feed(framed("0123456789")), State::reading);
  EXPECT_EQ(reader.pop(), "0123456789");
}

TEST(MessageReader, RefusesALongerMessageByItsHeadAlone) {
  MessageReader reader(10);
  EXPECT_EQ(reader.feed(framed("0123456789a").substr(0, 5)), State::too_large);
  EXPECT_EQ(reader.announced_bytes(), 11u);
  EXPECT_EQ(reader.feed("0123456789a"), State::too_large);
  EXPECT_LT(reader.held_bytes(), 100u);
}

TEST(MessageReader, RefusesTheCompressedFlag) {
  MessageReader reader(10);
  std::string bytes = framed("x");
  bytes[0] = 1;
  EXPECT_EQ(reader.feed(bytes), State::compressed);
  EXPECT_FALSE(reader.has_message());
}

TEST(MessageReader, DoesNotReserveWhatIsOnlyAnnounced) {
  MessageReader reader(1u << 30);
  EXPECT_EQ(reader.feed(std::string("\0\x20\0\0\0", 5)), State::reading);
  EXPECT_LE(reader.held_bytes(), 64u << 10);
  EXPECT_EQ(reader.announced_bytes(), 1u << 29);
}

TEST(MessageReader, CountsMessagesWithoutABody) {
  MessageReader reader(10);
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += framed("");
  reader.feed(bytes);
  EXPECT_EQ(reader.message_count(), 1000u);
  EXPECT_GE(reader.held_bytes(), 1000 * sizeof(std::string));
  while (reader.has_message()) reader.pop();
  EXPECT_EQ(reader.held_bytes(), 0u);
}

}  // namespace
}  // namespace concerto::net::detail
