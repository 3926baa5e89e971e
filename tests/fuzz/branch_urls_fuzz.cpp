// URLs of HTTP branch calls. The input has a line each for the branch's URL, gid, branch id and op.
// The service reads the four parameters unchanged, after the URL's own parameters.

#include <map>

#include <concerto/engine/mode.hpp>
#include <concerto/transport/percent.hpp>
#include <concerto/transport/url.hpp>

#include "branch/branch_url.hpp"
#include "fuzz_target.hpp"

namespace concerto::fuzz {

void branch_urls(std::string_view input) {
  using namespace net;
  const std::map<std::string, std::string> no_headers;
  BranchCall call;
  call.url = take_line(input);
  const Gid gid{std::string{take_line(input)}};
  call.gid = &gid;
  call.mode = &modes::saga;
  call.branch_id = take_line(input);
  call.op = take_line(input);
  call.headers = &no_headers;

  const std::string text = branch_url(call);
  require(text.find('#') == std::string::npos);
  require(call_target(text).size() <= text.size());
  const auto url = parse_url(call.url);
  if (!url) return;
  const auto called = parse_url(text);
  require(called.has_value() && called->host == url->host && called->path == url->path);

  HttpRequest::Query wanted = decode_query(url->query);
  wanted.emplace_back("branch_id", call.branch_id);
  wanted.emplace_back("gid", gid.str());
  wanted.emplace_back("op", call.op);
  wanted.emplace_back("trans_type", call.mode->name);
  require(decode_query(called->query) == wanted);
}

}  // namespace concerto::fuzz
