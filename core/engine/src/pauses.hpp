#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/async.hpp>
#include <concerto/engine/mode.hpp>
#include <concerto/engine/pause.hpp>
#include <concerto/engine/store.hpp>

namespace concerto {

/// A pause with what it takes to see which calls it holds up.
struct ActivePause {
  Pause pause;
  /// The subscribers of a topic that is paused; nullopt: its record cannot be read, so all messages
  /// are held up.
  std::optional<std::vector<std::string>> urls = std::vector<std::string>();
};

using PauseList = std::vector<ActivePause>;

/// Whether a pause holds up what a transaction does next.
bool holds_up(const ActivePause& active, const Transaction& trans, const Mode& mode,
              const Next& next);

/// The same of a transaction that may be of an unknown mode, or do nothing next.
bool is_held_by(const ActivePause& active, const Transaction& trans, const ModeTable& modes);

/// The pause that holds up what a transaction does next, null if there is none.
const Pause* pause_of(const PauseList& pauses, const Transaction& trans, const Mode& mode,
                      const Next& next);

/// The pauses in the key-value part of the store. Usable on any shard.
class Pauses {
 public:
  explicit Pauses(Store& store) : store_(store) {}

  /// Error key_exists: it is paused already.
  Async<> add(const Pause& pause);
  /// Error key_not_found: it is not paused.
  Async<> remove(PauseKind kind, std::string value);
  Async<PauseList> read();
  /// Reads what a pause needs to be in force. `has_topic` tells whether its topic exists.
  Async<ActivePause> activate(Pause pause, bool* has_topic = nullptr);

 private:
  Store& store_;
};

}  // namespace concerto
