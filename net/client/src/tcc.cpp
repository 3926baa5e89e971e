#include <utility>

#include <concerto/client/client_error.hpp>
#include <concerto/client/tcc.hpp>

#include "core.hpp"
#include "run_between.hpp"

namespace concerto::client {
Result<std::string> BranchIds::next() {
  if (last_ == branches_max) {
    return make_error(ClientErrc::not_sendable, "there are 99 branches already");
  }
  if (parent_.size() > parent_chars_max) {
    return make_error(ClientErrc::not_sendable,
                      "branch " + parent_ + " lies too deep for branches below it");
  }
  ++last_;
  return parent_ + static_cast<char>('0' + last_ / 10) + static_cast<char>('0' + last_ % 10);
}

Tcc::Tcc(detail::Core& core, std::string gid, std::string parent_branch_id)
    : core_(core), branch_ids_(std::move(parent_branch_id)) {
  request_.gid = Gid{std::move(gid)};
  request_.trans_type = "tcc";
}

Async<> Tcc::run_work(Work work) {
  return detail::run_between(
      {.prepare = [this] { return prepare(); },
       .work = [this, work = std::move(work)] { return work(*this); },
       .submit = [this] { return submit(); },
       .abort = [this](std::string reason) { return abort(std::move(reason)); }});
}

Async<std::string> Tcc::call_branch(std::string payload, std::string try_url,
                                    std::string confirm_url, std::string cancel_url) {
  CONCERTO_CO_TRY(const std::string branch_id, branch_ids_.next());
  BranchRequest branch;
  branch.gid = request_.gid;
  branch.trans_type = request_.trans_type;
  branch.branch_id = branch_id;
  branch.payload = payload;
  branch.fields["confirm"] = std::move(confirm_url);
  branch.fields["cancel"] = std::move(cancel_url);
  CONCERTO_CO_CHECK(co_await core_.register_branch(std::move(branch)));
  detail::OwnCall call;
  call.gid = gid();
  call.trans_type = request_.trans_type;
  call.branch_id = branch_id;
  call.op = "try";
  call.url = std::move(try_url);
  call.payload = std::move(payload);
  call.headers = options.branch_headers;
  call.request_timeout = options.request_timeout;
  co_return co_await core_.call_branch(std::move(call));
}

Async<> Tcc::prepare() const {
  return core_.send("prepare", request());
}

Async<> Tcc::submit() const {
  return core_.send("submit", request());
}

Async<> Tcc::abort(std::string reason) const {
  TransRequest aborting = request();
  aborting.rollback_reason = detail::fitting_reason(reason);
  return core_.send("abort", aborting);
}

TransRequest Tcc::request() const {
  TransRequest request = request_;
  request.options = options;
  return request;
}

}  // namespace concerto::client
