#pragma once

#include <boost/intrusive/list.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/task_group.hpp>
#include <concerto/base/timers.hpp>

#include "engine_log.hpp"
#include "live_table.hpp"
#include "loader.hpp"
#include "shard_env.hpp"
#include "store_trouble.hpp"
#include "wake_ups.hpp"

namespace concerto {

/// How transactions in memory change in the store. On the shard's thread.
class Changes {
 public:
  /// `tasks` may be constructed later than this object.
  Changes(ShardEnv& env, LiveTable& live, Loader& loader, WakeUps& wakes, StoreTrouble& trouble,
          EngineLog& log, TaskGroup& tasks);

  /// Makes a change, and with it every result that is not stored yet. By whoever has the turn.
  /// After an error other than store_busy what is stored is not known.
  Async<> commit(LiveTrans& live, TransDelta delta, Durability durability);
  /// As `commit`; what follows from the new status is done.
  Async<> change_status(LiveTrans& live, StatusChange change);
  /// The transaction has results that are not stored: they are soon, with others.
  void mark_unsaved(LiveTrans& live);
  /// Stores every result that is not stored yet, and nothing later by itself.
  void stop();

 private:
  void note_not_stored(LiveTrans& live, TransDelta delta, const Error& error);
  Task<void> save_progress();

  ShardEnv& env_;
  LiveTable& live_;
  Loader& loader_;
  WakeUps& wakes_;
  StoreTrouble& trouble_;
  EngineLog& log_;
  TaskGroup& tasks_;
  boost::intrusive::list<LiveTrans, boost::intrusive::constant_time_size<false>> unsaved_;
  Timer progress_timer_;
};

}  // namespace concerto
