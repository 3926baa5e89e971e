// Bytes of a server over HTTP/2, for a client's session with two calls under way.

#include "http2_sessions.hpp"

namespace concerto::fuzz {

void http2_clients(std::string_view input) {
  using namespace net::http2;
  for (const Cuts cuts : all_cuts) {
    End client(Side::client);
    const RecordingStreamPtr calls[] = {client.request(), client.request()};
    answers_to(input, cuts, client);
    require(client.requests.empty());
    for (const auto& call : calls) {
      require(call != nullptr);
      const auto is_close = [](const std::string& line) { return line.starts_with("close "); };
      require(std::ranges::count_if(call->log, is_close) <= 1);
    }
  }
}

}  // namespace concerto::fuzz
