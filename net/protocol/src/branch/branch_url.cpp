#include "branch_url.hpp"

#include <concerto/engine/mode.hpp>
#include <concerto/protocol/branch_messages.hpp>
#include <concerto/transport/percent.hpp>

namespace concerto::net {

std::string branch_url(const BranchCall& call) {
  constexpr std::size_t parameters_bytes_typical = 96;
  const std::string_view url = call.url.substr(0, call.url.find('#'));
  std::string out;
  out.reserve(url.size() + parameters_bytes_typical);
  out.append(url);
  if (const std::size_t question = url.find('?'); question == std::string_view::npos) {
    out += '?';
  } else if (question + 1 < url.size()) {
    out += '&';
  }
  append_query_escaped(out.append("branch_id="), call.branch_id);
  append_query_escaped(out.append("&gid="), call.gid->view());
  append_query_escaped(out.append("&op="), call.op);
  append_query_escaped(out.append("&trans_type="), call.mode->name);
  return out;
}

ReceivedCall received_call(const HttpRequest& request) {
  ReceivedCall call;
  // The parameters of the call follow those of the service's own URL, so the last ones count.
  for (const auto& [name, value] : request.query) {
    if (name == "gid") call.gid = value;
    if (name == "trans_type") call.trans_type = value;
    if (name == "branch_id") call.branch_id = value;
    if (name == "op") call.op = value;
  }
  return call;
}

}  // namespace concerto::net
