#include <concerto/client/blocking.hpp>
#include <concerto/client/client.hpp>

#include "core.hpp"

namespace concerto::client {

Client::Client(Executor executor, std::string coordinator, ClientOptions options)
    : core_(std::make_unique<detail::Core>(std::move(executor), std::move(coordinator),
                                           std::move(options))) {}

Client::~Client() {
  core_->end();
}

Async<std::string> Client::new_gid() {
  return core_->new_gid();
}

Saga Client::saga(std::string gid) {
  return Saga{*core_, std::move(gid)};
}

Msg Client::msg(std::string gid) {
  return Msg{*core_, std::move(gid)};
}

Tcc Client::tcc(std::string gid, std::string parent_branch_id) {
  return Tcc{*core_, std::move(gid), std::move(parent_branch_id)};
}

Xa Client::xa(std::string gid) {
  return Xa{*core_, std::move(gid)};
}

Workflows Client::workflows(std::string callback) {
  return Workflows{*core_, std::move(callback)};
}

Async<> Client::register_branch(XaCall call) {
  BranchRequest branch;
  branch.gid = Gid{std::move(call.gid)};
  branch.trans_type = std::move(call.trans_type);
  branch.branch_id = std::move(call.branch_id);
  branch.fields["url"] = std::move(call.phase2_url);
  return core_->register_branch(std::move(branch));
}

Task<void> Client::close() {
  return core_->close();
}

namespace blocking {

void Client::run(Task<void> task) {
  const std::lock_guard lock(one_at_a_time_);
  std::exception_ptr thrown;
  bool ended = false;
  asio::co_spawn(io_, std::move(task), [&](std::exception_ptr exception) {
    thrown = std::move(exception);
    ended = true;
  });
  const auto work = asio::make_work_guard(io_);
  io_.restart();
  while (!ended) io_.run_one();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace blocking
}  // namespace concerto::client
