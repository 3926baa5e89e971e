#include <concerto/client/client_error.hpp>
#include <concerto/client/xa.hpp>
#include <concerto/transport/percent.hpp>

#include "core.hpp"
#include "run_between.hpp"

namespace concerto::client {

Xa::Xa(detail::Core& core, std::string gid) : core_(core) {
  request_.gid = Gid{std::move(gid)};
  request_.trans_type = "xa";
}

Async<> Xa::run_work(Work work) {
  return detail::run_between({.prepare = [this] { return prepare(); },
                              .work = [this, work = std::move(work)] { return work(*this); },
                              .submit = [this] { return submit(); },
                              .abort = [this](const std::string& /*reason*/) { return abort(); }});
}

Async<std::string> Xa::call_branch(std::string payload, std::string url) {
  CONCERTO_CO_TRY(const std::string branch_id, branch_ids_.next());
  detail::OwnCall call;
  call.gid = gid();
  call.trans_type = request_.trans_type;
  call.branch_id = branch_id;
  call.op = "action";
  call.phase2_url = url;
  call.url = std::move(url);
  call.payload = std::move(payload);
  call.headers = options.branch_headers;
  call.request_timeout = options.request_timeout;
  co_return co_await core_.call_branch(std::move(call));
}

Async<> Xa::prepare() const {
  return core_.send("prepare", request());
}

Async<> Xa::submit() const {
  return core_.send("submit", request());
}

Async<> Xa::abort() const {
  return core_.send("abort", request());
}

TransRequest Xa::request() const {
  TransRequest request = request_;
  request.options = options;
  return request;
}

Result<XaCall> XaCall::from_query(std::string_view query) {
  query = query.substr(0, query.find('#'));
  query.remove_prefix(query.find('?') + 1);  // Without a question mark nothing is removed.
  XaCall call;
  for (const auto& [name, value] : net::decode_query(query)) call.take(name, value, "");
  return checked(std::move(call));
}

/// Of several values with one name, the first counts. The other SDKs strip values, too.
void XaCall::take(std::string_view name, std::string_view value, std::string_view prefix) {
  if (!name.starts_with(prefix)) return;
  name.remove_prefix(prefix.size());
  constexpr std::pair<std::string_view, std::string XaCall::*> fields[] = {
      {"gid", &XaCall::gid},
      {"trans_type", &XaCall::trans_type},
      {"branch_id", &XaCall::branch_id},
      {"op", &XaCall::op},
      {"phase2_url", &XaCall::phase2_url}};
  for (const auto& [field, member] : fields) {
    if (name != field || !(this->*member).empty()) continue;
    this->*member = value;
    std::erase_if(this->*member, [](char c) { return c == '\n' || c == '\r' || c == ';'; });
  }
}

Result<XaCall> XaCall::checked(XaCall call) {
  const bool needs_url = call.op == "action";
  if (call.gid.empty() || call.trans_type.empty() || call.branch_id.empty() || call.op.empty() ||
      (needs_url && call.phase2_url.empty())) {
    return make_error(ClientErrc::not_sendable,
                      "not a call of a branch of XA: gid '" + call.gid + "', trans_type '" +
                          call.trans_type + "', branch_id '" + call.branch_id + "', op '" +
                          call.op + "', phase2_url '" + call.phase2_url + "'");
  }
  return call;
}

}  // namespace concerto::client
