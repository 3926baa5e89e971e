#pragma once

#include "fuzz_target.hpp"
#include "session_pair.hpp"

namespace concerto::fuzz {

/// Gives the bytes of a peer to `end`, which answers every complete request. Returns everything
/// that `end` sends.
inline std::string answers_to(std::string_view input, Cuts cuts, net::http2::End& end) {
  std::string sent = end.pull();
  for (const std::string_view piece : pieces_of(input, cuts)) {
    if (!end.receive(piece)) break;
    for (const auto& request : end.requests) {
      if (!request->is_open() || request->log.empty() || request->log.back() != "end") continue;
      request->respond();
      request->send("answer");
      request->end();
      request->log.emplace_back("answered");
    }
    sent += end.pull();
  }
  return sent;
}

}  // namespace concerto::fuzz
