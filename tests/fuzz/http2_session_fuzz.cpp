// Any bytes from a peer, to a server's and to a client's session. The first byte says which, the
// second how the rest is cut.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "session_pair.hpp"

using namespace concerto::net::http2;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const bool is_server = (data[0] & 1) != 0;
  const std::size_t chunk = data[1] + 1u;
  std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);

  End end(is_server ? Side::server : Side::client);
  if (is_server && (data[0] & 2) != 0) {
    // Past the preface, where the interesting states are.
    End client(Side::client);
    end.receive(client.pull());
  }
  std::vector<RecordingStreamPtr> calls;
  if (!is_server) calls = {end.request(), end.request()};
  while (!bytes.empty()) {
    if (!end.receive(bytes.substr(0, chunk))) break;
    bytes.remove_prefix(std::min(chunk, bytes.size()));
    for (const auto& request : end.requests) {
      if (!request->is_open() || request->log.empty() || request->log.back() != "end") continue;
      request->respond();
      request->send("answer");
      request->end();
      request->log.emplace_back("answered");
    }
    end.pull();
  }
  return 0;
}
