// Operators hold calls up and let them go on; a coordinator that has started paused begins.

#include <algorithm>
#include <memory>
#include <utility>

#include <concerto/base/masked_url.hpp>
#include <concerto/engine/coordinator.hpp>

#include "on_engine.hpp"
#include "pauses.hpp"
#include "text.hpp"

namespace concerto {
namespace {

std::string about_pause(std::string_view deed, PauseKind kind, std::string_view value) {
  return std::string(deed)
             .append(" ")
             .append(to_string(kind))
             .append(" '")
             .append(masked_url(value)) +
         "'";
}

Error not_pausable(std::string text) {
  return make_error(EngineErrc::invalid_entry, std::move(text));
}

Result<> check_pause(const Pause& pause, const ModeTable& modes) {
  const std::size_t bytes = pause.value.size();
  if (bytes == 0 || bytes > pause_bytes_max || has_control(pause.value)) {
    return not_pausable("value: expected 1 to " + std::to_string(pause_bytes_max) +
                        " bytes without control characters, found " + std::to_string(bytes));
  }
  if (pause.kind == PauseKind::mode && modes.find(pause.value) == nullptr) {
    return not_pausable("value: '" + pause.value + "' is none of " + modes.names());
  }
  return ok();
}

}  // namespace

Async<> Coordinator::check_new_pause(Pause pause) {
  const Use use(*engines_.front());
  CONCERTO_CO_CHECK(check_pause(pause, modes_));
  const std::string topic = pause.value;
  bool has_topic = true;
  CONCERTO_CO_TRY(const ActivePause active,
                  co_await pauses_->activate(std::move(pause), &has_topic));
  if (!has_topic) co_return not_pausable("value: there is no topic '" + topic + "'");
  co_return ok();
}

Async<Pause> Coordinator::pause(Pause pause, RequestContext context) {
  const Use use(*engines_.front());
  CONCERTO_CO_CHECK(co_await check_new_pause(pause));
  pause.since = clock_.wall_now();
  pause.caller = context.caller.name();
  Result<> done = co_await bound(context, pauses_->add(pause));
  co_await tell_all(about_pause("pause", pause.kind, pause.value), context, done);
  if (!done && done.error().code == EngineErrc::key_exists) {
    co_return make_error(EngineErrc::status_conflict, about_pause("the", pause.kind, pause.value) +
                                                          " is paused already. FAILURE");
  }
  if (!done) co_return done.error();
  CONCERTO_CO_CHECK(co_await read_pauses());
  co_return pause;
}

Async<> Coordinator::resume(PauseKind kind, std::string value, RequestContext context) {
  const Use use(*engines_.front());
  Result<> done = co_await bound(context, pauses_->remove(kind, value));
  co_await tell_all(about_pause("resume", kind, value), context, done);
  if (!done && done.error().code == EngineErrc::key_not_found) {
    co_return make_error(EngineErrc::key_not_found,
                         about_pause("the", kind, value) + " is not paused");
  }
  if (!done) co_return done.error();
  co_return co_await read_pauses();
}

Async<std::vector<Pause>> Coordinator::pauses() {
  const Use use(*engines_.front());
  CONCERTO_CO_TRY(PauseList active, co_await pauses_->read());
  std::vector<Pause> pauses;
  for (ActivePause& each : active) pauses.push_back(std::move(each.pause));
  co_return pauses;
}

Async<HeldUp> Coordinator::held_up() {
  const Use use(*engines_.front());
  CONCERTO_CO_TRY(PauseList read, co_await pauses_->read());
  HeldUp is_held;
  if (!read.empty()) {
    is_held = [pauses = std::make_shared<const PauseList>(std::move(read)),
               &modes = modes_](const Transaction& trans) {
      return std::ranges::any_of(
          *pauses, [&](const ActivePause& active) { return is_held_by(active, trans, modes); });
    };
  }
  co_return is_held;
}

/// When a request is no longer refused, no shard holds it up. What waits for the begin goes on
/// after that.
Task<bool> Coordinator::begin(RequestContext context) {
  Engine& first = *engines_.front();
  const Use use(first);
  if (!is_paused()) co_return false;
  for (auto& engine : engines_) co_await on_engine(*engine, engine->begin());
  paused_.store(false);
  co_await on_engine(first, first.tell_begun());
  co_await tell_all("begin after a paused start", context, ok());
  co_return true;
}

Task<bool> Coordinator::wait_until_begun() {
  Engine& first = *engines_.front();
  const Use use(first);
  co_return co_await on_engine(first, first.wait_until_begun(paused_));
}

/// Gives each shard the pauses of the store. Also after a change of topics, which may be paused.
Async<> Coordinator::read_pauses() {
  CONCERTO_CO_TRY(PauseList read, co_await pauses_->read());
  const auto pauses = std::make_shared<const PauseList>(std::move(read));
  for (auto& engine : engines_) co_await on_engine(*engine, engine->set_pauses(pauses));
  co_return ok();
}

}  // namespace concerto
