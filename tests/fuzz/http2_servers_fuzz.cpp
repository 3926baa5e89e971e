// Bytes of a client over HTTP/2, for a server's session: with the preface, and after one.

#include "http2_sessions.hpp"

namespace concerto::fuzz {

void http2_servers(std::string_view input) {
  using namespace net::http2;
  for (const Cuts cuts : all_cuts) {
    End from_the_start(Side::server);
    answers_to(input, cuts, from_the_start);

    End client(Side::client);
    End server(Side::server);
    server.receive(client.pull());
    answers_to(input, cuts, server);
    for (const auto& request : server.requests) {
      // Fields come before the end of the headers, and nothing comes after the close.
      const auto& log = request->log;
      const auto is_close = [](const std::string& line) { return line.starts_with("close "); };
      const auto close = std::ranges::find_if(log, is_close);
      require(close == log.end() || std::next(close) == log.end());
    }
  }
}

}  // namespace concerto::fuzz
