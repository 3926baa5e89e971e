#include "local_caller.hpp"

#include <string>
#include <utility>

#include <concerto/engine/error.hpp>

#include "local_run.hpp"

namespace concerto {
namespace {

/// The way of local calls; the branch callers of the protocol use lower numbers.
constexpr unsigned local_way = call_ways_max - 1;

Error unknown(std::string_view url) {
  return make_error(Errc::invalid_request, "this process has no branch '" + std::string(url) + "'");
}

/// Counts until the end of the scope.
class Counted {
 public:
  explicit Counted(int& count) : count_(count) { ++count_; }
  ~Counted() { --count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  int& count_;
};

}  // namespace

LocalCaller::LocalCaller(std::shared_ptr<const LocalBranches> branches, asio::any_io_executor user,
                         Executor shard, Timers& timers)
    : branches_(std::move(branches)),
      user_(std::move(user)),
      shard_(std::move(shard)),
      timers_(timers),
      runs_here_(user_ == asio::any_io_executor(shard_)) {}

Task<BranchReply> LocalCaller::call(BranchCall call) {
  const LocalBranches::Branch* branch = branches_->find(call.url);
  if (branch == nullptr) {
    if (branches_->others() != nullptr) return branches_->others()->call(call);
    return refuse(call);
  }
  if (runs_here_ && branch->function) return call_here(branch->function, call);
  return call_elsewhere(call);
}

Task<BranchReply> LocalCaller::call_here(const LocalBranches::Function& function, BranchCall call) {
  const LocalCall local{call.gid->view(), call.branch_id, call.op,
                        call.payload,     call.headers,   call.deadline};
  const Counted counted(functions_);
  co_return function(local);
}

Task<BranchReply> LocalCaller::call_elsewhere(BranchCall call) {
  const auto run = std::make_shared<LocalRun>(branches_, call, user_, shard_);
  Timer deadline(timers_, [&run] { run->give_up("the branch has not ended in time"); });
  deadline.set(call.deadline);
  auto begin = [run](Completion<LocalRun::End> waiter) { run->start(std::move(waiter)); };
  LocalRun::End ended = co_await suspend<LocalRun::End>(begin);
  if (ended.thrown) std::rethrow_exception(ended.thrown);
  co_return std::move(ended.reply);
}

/// A transaction of an earlier version of the program may name a branch that is gone.
Task<BranchReply> LocalCaller::refuse(BranchCall call) {
  BranchReply reply;
  reply.error = unknown(call.url);
  co_return reply;
}

Result<unsigned> LocalCaller::way_of(Protocol protocol, std::string_view url) const {
  if (branches_->find(url) != nullptr) return local_way;
  if (branches_->others() == nullptr) return unknown(url);
  return branches_->others()->way_of(protocol, url);
}

Result<> LocalCaller::can_carry(unsigned way, const BranchCall& call) const {
  if (branches_->find(call.url) != nullptr || branches_->others() == nullptr) return ok();
  return branches_->others()->can_carry(way, call);
}

Result<> LocalCaller::takes_rpc_payload(std::string_view url, std::string_view payload) const {
  if (branches_->find(url) != nullptr || branches_->others() == nullptr) return ok();
  return branches_->others()->takes_rpc_payload(url, payload);
}

}  // namespace concerto
