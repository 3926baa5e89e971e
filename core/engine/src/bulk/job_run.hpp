#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/base/notifier.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>
#include <concerto/engine/bulk_actions.hpp>

namespace concerto {

/// The transactions that a selection can have, as a store lists them. The topic and what
/// TroubleFilter has are left out.
ListFilter filter_of(const BulkSelection& selection);
/// Adds that the transaction has the owner with this name; empty: any.
void select_owner(const std::string& name, ListFilter& filter);

/// Carries out a job, page by page, on one shard's thread.
class JobRun : public std::enable_shared_from_this<JobRun> {
 public:
  /// Stores the progress of a job.
  using Save = std::function<Async<>(BulkJob&)>;

  JobRun(BulkJob job, Coordinator& coordinator, Executor executor, Timers& timers,
         TaskGroup& tasks);

  const BulkJob& job() const noexcept { return job_; }

  /// Returns when the job has ended, cannot be saved, or is to stop. While the store is away it
  /// waits and tries again. True: it has ended, and that is saved.
  Task<bool> run(Save save_record);
  /// The run ends soon. The job is not changed: it goes on after the next start.
  void stop() noexcept { is_stopping_ = true; }
  /// The job ends soon.
  void cancel() noexcept { is_cancelled_ = true; }

 private:
  struct Page {
    std::vector<Gid> left;  ///< to be acted on; the next one last
    std::string next;       ///< the position of the next page; empty: there is none
  };

  bool ends() const noexcept { return is_stopping_ || is_cancelled_; }
  Async<> run_page();
  Async<Page> list_page(std::string position, std::size_t met);
  Task<void> list_ahead(std::string position, std::size_t met);
  Async<> act_on_page();
  Task<void> wait_for_tasks();
  bool start(Task<void> task);
  Task<void> act_on_some();
  Async<> act_on(const Gid& gid, const RequestContext& context);
  Async<> save();
  void end_page();
  void count(const Gid& gid, const Result<>& result);
  bool has_room() const;
  Task<void> wait_for_room();
  Task<void> pause(std::chrono::milliseconds time);

  BulkJob job_;
  std::size_t failures_before_ = 0;  ///< how many there were before this page
  Save save_record_;
  /// For the log. The requests of the job refer to it, and none outlives the run.
  const std::string asked_by_;
  Coordinator& coordinator_;
  Timers& timers_;
  TaskGroup& tasks_;
  Notifier room_;  ///< in memory and in the store's queue, for those that wait for it
  bool looks_for_room_ = false;
  Notifier ended_;
  std::optional<ListFilter> filter_;   ///< of the selection, with its topic as the run began
  std::optional<Page> page_;           ///< the one that is acted on, at the position of the job
  std::optional<Result<Page>> ahead_;  ///< the next one
  std::unordered_set<Gid> unsure_;     ///< of the page: an attempt had no answer
  std::size_t running_ = 0;
  Result<> trouble_ = ok();  ///< an error that would meet all transactions
  bool is_stopping_ = false;
  bool is_cancelled_ = false;
};

}  // namespace concerto
