// Messages after their lengths, as gRPC sends them, in any pieces. It does not matter where the
// pieces end, and messages that are framed again are read as the same messages.

#include "fuzz_target.hpp"
#include "grpc/message_reader.hpp"
#include "grpc/wire.hpp"

namespace concerto::fuzz {

void grpc_frames(std::string_view input) {
  using net::detail::MessageReader;
  constexpr std::size_t message_bytes_max = 64;
  MessageReader whole(message_bytes_max);
  const MessageReader::State end = whole.feed(input);
  std::vector<std::string> messages;
  while (whole.has_message()) {
    messages.push_back(whole.pop());
    require(messages.back().size() <= message_bytes_max);
  }
  require(whole.message_count() == 0 && whole.announced_bytes() <= 0xFFFFFFFF);

  std::string framed;
  for (const std::string& message : messages) {
    const auto head = net::detail::message_head(message.size());
    framed.append(head.data(), head.size()).append(message);
  }
  require(input.starts_with(framed));

  for (const Cuts cuts : all_cuts) {
    for (const auto keep : {MessageReader::Keep::messages, MessageReader::Keep::nothing}) {
      MessageReader reader(message_bytes_max, keep);
      for (const std::string_view piece : pieces_of(input, cuts)) reader.feed(piece);
      require(reader.feed({}) == end && reader.inside_message() == whole.inside_message());
      require(reader.message_count() == messages.size());
      for (const std::string& message : messages) {
        const std::string read = reader.pop();
        require(keep == MessageReader::Keep::nothing ? read.empty() : read == message);
      }
    }
  }
}

}  // namespace concerto::fuzz
