#pragma once

#include <optional>

#include <boost/intrusive/list.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>

#include "engine_log.hpp"
#include "leases.hpp"
#include "live_table.hpp"
#include "loader.hpp"
#include "shard_env.hpp"
#include "store_trouble.hpp"
#include "tracing.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// Changes transactions, in memory and in the store. On the shard's thread.
class Changes {
 public:
  /// `tasks` may be constructed later than this object.
  Changes(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes, StoreTrouble& trouble,
          Leases& leases, EngineLog& log, TaskGroup& tasks);

  /// Makes a change, together with every result that is not stored yet. The caller has the turn,
  /// and keeps `delta` until it awaits this. After an error other than store_busy it is not known
  /// what is stored. `rests_until`: as in UpdateTrans.
  Async<> commit(LiveTrans& live, TransDelta&& delta, Durability durability,
                 std::optional<WallTime> rests_until = std::nullopt);
  /// Stores the results that are not stored yet, and nothing else.
  Async<> commit_results(LiveTrans& live, Durability durability);
  /// Changes the status with `commit`, and does what follows from the new status.
  Async<> change_status(LiveTrans& live, StatusChange change);
  /// The transaction has results that are not stored. They will be stored soon, together with
  /// others.
  void mark_unsaved(LiveTrans& live);
  /// Whether a change is on its way whose lease has ended. If this coordinator claimed the
  /// transaction again now, the store would accept that change after those of others.
  bool any_is_past_lease() const noexcept;
  /// Stores every result that is not stored yet. Later results are only stored with other changes.
  void stop();

 private:
  using Hook =
      boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  /// A change that the store has not answered yet.
  struct OnItsWay : Hook {
    explicit OnItsWay(const LiveTrans& trans) : live(trans) {}
    const LiveTrans& live;
  };

  Async<> make(LiveTrans& live, TransDelta* asked, std::optional<StatusChange> status,
               Durability durability, std::optional<WallTime> rests_until);
  void note_status(LiveTrans& live);
  bool is_past_lease(const LiveTrans& live) const noexcept;
  void note_not_stored(LiveTrans& live, TransDelta delta, bool rests, const Error& error);
  Task<void> save_progress();

  ShardEnv& env_;
  const Tracing tracing_{env_};
  LiveTable& live_;
  Loader& loader_;
  WakeUps& wakes_;
  StoreTrouble& trouble_;
  Leases& leases_;
  EngineLog& log_;
  TaskGroup& tasks_;
  boost::intrusive::list<LiveTrans, boost::intrusive::constant_time_size<false>> unsaved_;
  boost::intrusive::list<OnItsWay, boost::intrusive::constant_time_size<false>> on_their_way_;
  Timer progress_timer_;
};

}  // namespace concerto
