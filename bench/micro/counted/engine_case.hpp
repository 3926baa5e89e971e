#pragma once

#include <string>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>

#include <concerto/base/task_group.hpp>
#include <concerto/engine/coordinator.hpp>

#include "counted_case.hpp"
#include "still_clock.hpp"

namespace concerto::bench {

/// Accepts every change and stores nothing.
class NullStore final : public Store {
 public:
  Async<> commit(const Change&) override { co_return ok(); }
  Async<std::optional<Transaction>> load(Gid) override { co_return std::nullopt; }
  Async<UnfinishedPage> scan_unfinished(std::uint64_t, std::size_t) override {
    co_return UnfinishedPage{};
  }
  Async<TransPage> list(ListFilter, std::string, std::size_t) override { co_return TransPage{}; }
  Async<std::vector<KvRecord>> find_kv(std::string, std::string) override {
    co_return std::vector<KvRecord>{};
  }
  Async<KvPage> scan_kv(std::string, std::string, std::size_t) override { co_return KvPage{}; }
  Async<> create_kv(KvRecord) override { co_return ok(); }
  Async<> update_kv(KvRecord) override { co_return ok(); }
  Async<> delete_kv(std::string, std::string) override { co_return ok(); }
};

class NullBranches final : public BranchCaller {
 public:
  Task<BranchReply> call(BranchCall) override {
    ++calls;
    BranchReply reply;
    reply.outcome = Outcome::success;
    co_return reply;
  }
  std::size_t calls = 0;
};

class NullObserver final : public Observer {
 public:
  void log(LogLevel, std::string_view, std::string_view) override {}
  bool logs(LogLevel) const noexcept override { return false; }
};

class CountingRandom final : public RandomSource {
 public:
  std::uint64_t next() override { return state_ = state_ * 6364136223846793005ULL + 1; }

 private:
  std::uint64_t state_ = 1;
};

template <class StoreKind, class ObserverKind = NullObserver>
class EngineCase : public CountedCase {
 public:
  explicit EngineCase(const CoordinatorOptions& options = {})
      : coordinator_({ShardPorts{io_.get_executor(), timers_, branches_, random_, observer_}},
                     store_, clock_, options) {}
  ~EngineCase() override { run_task(coordinator_.stop(clock_.steady_now())); }

 protected:
  TransRequest make(const char* type) {
    TransRequest request;
    request.gid = Coordinator::new_gid(random_);
    request.trans_type = type;
    return request;
  }
  static void add_steps(TransRequest& request) {
    request.steps = {{"bank.example:80/pkg.Bank/TransOut", "bank.example:80/pkg.Bank/OutRevert"},
                     {"bank.example:80/pkg.Bank/TransIn", "bank.example:80/pkg.Bank/InRevert"}};
    request.payloads.assign(2, std::string(100, 'p'));
  }
  void run_task(Task<void> task) {
    TaskGroup tasks(io_.get_executor());
    tasks.spawn(std::move(task));
    while (tasks.size() > 0) io_.run_one();
  }

  asio::io_context io_{1};
  asio::executor_work_guard<Executor> work_{io_.get_executor()};
  StillClock clock_;
  Timers timers_{io_.get_executor(), clock_};
  StoreKind store_;
  NullBranches branches_;
  CountingRandom random_;
  ObserverKind observer_;
  Coordinator coordinator_;
};

/// A saga or a msg of two steps, submitted with wait_result, so many at the same time.
template <const char* const& type, class StoreKind, std::size_t in_flight,
          class ObserverKind = NullObserver>
class SubmitCase : public EngineCase<StoreKind, ObserverKind> {
 public:
  using EngineCase<StoreKind, ObserverKind>::EngineCase;

  bool run(std::size_t count) override {
    bool good = true;
    left_ = count;
    TaskGroup callers(this->io_.get_executor());
    for (std::size_t i = 0; i < in_flight; ++i) callers.spawn(submit(good));
    while (callers.size() > 0) this->io_.run_one();
    return good && this->branches_.calls == 2 * count;
  }

 private:
  Task<void> submit(bool& good) {
    while (left_ > 0) {
      --left_;
      TransRequest request = this->make(type);
      this->add_steps(request);
      request.options.wait_result = true;
      const Result<> submitted = co_await this->coordinator_.submit(std::move(request));
      good = good && submitted;
    }
  }

  std::size_t left_ = 0;
};

inline const char* const saga = "saga";
inline const char* const msg = "msg";

}  // namespace concerto::bench
