// Any bytes from a peer, to the parser of requests and to that of answers. The first byte says
// which, the second how the rest is cut. Where the cuts are must not matter.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/body_collector.hpp"
#include "http/message_parser.hpp"

using namespace concerto::net;

namespace {

constexpr std::size_t header_bytes_max = 256;
constexpr std::size_t body_bytes_max = 64;

template <class Parser>
ParseState feed_in_pieces(Parser& parser, std::string_view bytes, std::size_t piece_bytes) {
  std::string held;
  ParseState state = ParseState::more;
  while (!bytes.empty() && state == ParseState::more) {
    const std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    held.append(piece);
    std::size_t used = 0;
    state = parser.feed(held, used);
    held.erase(0, used);
    if (held.size() >= header_bytes_max + piece_bytes && state == ParseState::more) std::abort();
  }
  return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece_bytes = data[1] + 1u;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  if ((data[0] & 1) != 0) {
    RequestParser whole{header_bytes_max, body_bytes_max};
    RequestParser pieces{header_bytes_max, body_bytes_max};
    const ParseState one = feed_in_pieces(whole, bytes, bytes.size() + 1);
    const ParseState other = feed_in_pieces(pieces, bytes, piece_bytes);
    if (one != other || whole.request().body != pieces.request().body) std::abort();
    return 0;
  }
  BodyCollector whole_body{body_bytes_max};
  BodyCollector pieces_body{body_bytes_max};
  ResponseParser whole{header_bytes_max, whole_body};
  ResponseParser pieces{header_bytes_max, pieces_body};
  if (feed_in_pieces(whole, bytes, bytes.size() + 1) != feed_in_pieces(pieces, bytes, piece_bytes))
    std::abort();
  return 0;
}
