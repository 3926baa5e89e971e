#include "local_run.hpp"

#include <utility>

#include <concerto/engine/error.hpp>
#include <concerto/engine/transaction.hpp>

namespace concerto {

LocalRun::LocalRun(std::shared_ptr<const LocalBranches> branches, const BranchCall& call,
                   const asio::any_io_executor& user, Executor shard)
    : branches_(std::move(branches)),
      gid_(call.gid->str()),
      branch_id_(call.branch_id),
      op_(call.op),
      url_(call.url),
      payload_(call.payload),
      headers_(*call.headers),
      call_{gid_, branch_id_, op_, payload_, &headers_, call.deadline},
      strand_(user),
      shard_(std::move(shard)) {}

void LocalRun::start(Completion<End> waiter) {
  waiter_ = std::move(waiter);
  if (auto slot = waiter_.cancellation_slot(); slot.is_connected()) {
    slot.assign([this](asio::cancellation_type) { give_up("the call was cancelled"); });
  }
  asio::post(strand_.get_inner_executor(), [self = shared_from_this()] {
    const LocalBranches::Branch& branch = *self->branches_->find(self->url_);
    if (branch.coroutine) return self->run_coroutine(branch.coroutine);
    self->run_function(branch.function);
  });
}

void LocalRun::run_function(const LocalBranches::Function& function) {
  if (!is_awaited()) return;
  End ended;
  try {
    ended.reply = function(call_);
  } catch (...) {
    ended.thrown = std::current_exception();
  }
  end(std::move(ended));
}

void LocalRun::run_coroutine(const LocalBranches::Coroutine& coroutine) {
  asio::dispatch(strand_, [self = shared_from_this(), &coroutine] {
    if (!self->is_awaited()) return;
    const auto ended = [self](std::exception_ptr thrown, BranchReply reply) {
      self->end(End{std::move(reply), std::move(thrown)});
    };
    try {
      asio::co_spawn(self->strand_, coroutine(self->call_),
                     asio::bind_cancellation_slot(self->cancel_.slot(), ended));
    } catch (...) {
      self->end(End{{}, std::current_exception()});
    }
  });
}

bool LocalRun::is_awaited() {
  const MutexLock lock(mutex_);
  return is_awaited_;
}

void LocalRun::give_up(const char* why) {
  asio::post(strand_, [self = shared_from_this()] {
    self->cancel_.emit(asio::cancellation_type::terminal);
  });
  End ended;
  ended.reply.error = make_error(EngineErrc::branch_error, why);
  end(std::move(ended));
}

void LocalRun::end(End ended) {
  const MutexLock lock(mutex_);
  if (!std::exchange(is_awaited_, false)) return;
  asio::post(shard_, [self = shared_from_this(), ended = std::move(ended)]() mutable {
    if (auto slot = self->waiter_.cancellation_slot(); slot.is_connected()) slot.clear();
    auto waiter = std::move(self->waiter_);
    waiter(std::move(ended));
  });
}

}  // namespace concerto
