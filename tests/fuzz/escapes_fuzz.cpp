// Percent escapes in paths and queries. An escaped text is read as the original one. The path that
// a router sees is, decoded once more, the path that was meant.

#include <concerto/transport/percent.hpp>

#include "fuzz_target.hpp"

namespace concerto::fuzz {

void escapes(std::string_view input) {
  using namespace net;
  std::string escaped;
  append_query_escaped(escaped, input);
  require(percent_decode(escaped, true) == std::string{input});

  const auto path = decode_path(input);
  const auto plain = percent_decode(input, false);
  require(!path || plain);
  if (path) require(percent_decode(*path, false) == plain);
  if (path && input.find('%') != input.npos) require(decode_path(*path).has_value());

  const HttpRequest::Query query = decode_query(input);
  std::string written;
  for (const auto& [name, value] : query) {
    if (!written.empty()) written += '&';
    append_query_escaped(written, name);
    append_query_escaped(written += '=', value);
  }
  require(decode_query(written) == query);
}

}  // namespace concerto::fuzz
