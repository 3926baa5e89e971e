#include "pauses.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <concerto/base/json_text.hpp>
#include <concerto/base/json_tree.hpp>
#include <concerto/base/utf8.hpp>

#include "topic_records.hpp"
#include "trouble.hpp"

namespace concerto {
namespace {

const std::string pause_category = "concerto-pause";

constexpr std::array<std::pair<PauseKind, std::string_view>, 3> pause_kinds{
    {{PauseKind::target, "target"}, {PauseKind::mode, "mode"}, {PauseKind::topic, "topic"}}};

std::string key_of_pause(PauseKind kind, std::string_view value) {
  return std::string(to_string(kind)).append(":").append(value);
}

std::string pause_record(const Pause& pause) {
  std::string out = R"({"reason":)";
  append_json_string(out, to_utf8(pause.reason));
  out += R"(,"caller":)";
  append_json_string(out, to_utf8(pause.caller));
  return out + "}";
}

std::string member_text(JsonValue object, std::string_view name) {
  const auto value = object.find(name);
  return value && value->is(JsonKind::text) ? std::string(value->text()) : std::string();
}

/// A record of which only the key can be read is a pause too: what somebody has stopped must not go
/// on because of damage.
Result<Pause> pause_from(const KvRecord& record) {
  const std::size_t colon = record.key.find(':');
  const auto kind = pause_kind_from(std::string_view(record.key).substr(0, colon));
  if (!kind || colon == std::string::npos) {
    return make_error(EngineErrc::store_damaged,
                      "the pause '" + record.key + "' in the store is of an unknown kind");
  }
  Pause pause{*kind, record.key.substr(colon + 1), {}, {}, record.create_time};
  JsonTree tree;
  if (const Result<> parsed = tree.parse(record.value); !parsed) return pause;
  pause.reason = member_text(tree.root(), "reason");
  pause.caller = member_text(tree.root(), "caller");
  return pause;
}

}  // namespace

std::string_view to_string(PauseKind kind) noexcept {
  return std::ranges::find(pause_kinds, kind, [](const auto& each) { return each.first; })->second;
}

std::optional<PauseKind> pause_kind_from(std::string_view text) noexcept {
  for (const auto& [kind, name] : pause_kinds) {
    if (name == text) return kind;
  }
  return std::nullopt;
}

bool holds_up(const ActivePause& active, const Transaction& trans, const Mode& mode,
              const Next& next) {
  const std::string& value = active.pause.value;
  const auto calls_any = [&](auto matches) {
    return std::ranges::any_of(
        next.calls, [&](std::uint32_t index) { return matches(trans.branches[index].url); });
  };
  const auto has_value = [&value](const std::string& url) {
    return url.find(value) != std::string::npos;
  };
  switch (active.pause.kind) {
    case PauseKind::mode:
      return value == mode.name;
    case PauseKind::topic:
      return trans.type == TransType::msg && calls_any([&active](const std::string& url) {
               return !active.urls || std::ranges::find(*active.urls, url) != active.urls->end();
             });
    case PauseKind::target:
      break;
  }
  return (next.ask_application && has_value(trans.query_prepared)) || calls_any(has_value);
}

bool is_held_by(const ActivePause& active, const Transaction& trans, const ModeTable& modes) {
  const Mode* mode = modes.find(trans.type);
  const auto next = mode != nullptr ? next_of(trans, *mode, was_looked_at(trans)) : std::nullopt;
  const bool calls = next && (!next->calls.empty() || next->ask_application);
  return calls && holds_up(active, trans, *mode, *next);
}

const Pause* pause_of(const PauseList& pauses, const Transaction& trans, const Mode& mode,
                      const Next& next) {
  const auto holds = [&](const ActivePause& each) { return holds_up(each, trans, mode, next); };
  const auto found = std::ranges::find_if(pauses, holds);
  return found == pauses.end() ? nullptr : &found->pause;
}

Async<> Pauses::add(const Pause& pause) {
  KvRecord record;
  record.cat = pause_category;
  record.key = key_of_pause(pause.kind, pause.value);
  record.value = pause_record(pause);
  record.create_time = record.update_time = pause.since;
  return store_.create_kv(std::move(record));
}

Async<> Pauses::remove(PauseKind kind, std::string value) {
  return store_.delete_kv(pause_category, key_of_pause(kind, value));
}

Async<PauseList> Pauses::read() {
  CONCERTO_CO_TRY(const std::vector<KvRecord> records, co_await store_.find_kv(pause_category, {}));
  PauseList pauses;
  for (const KvRecord& record : records) {
    CONCERTO_CO_TRY(Pause pause, pause_from(record));
    CONCERTO_CO_TRY(ActivePause active, co_await activate(std::move(pause)));
    pauses.push_back(std::move(active));
  }
  co_return pauses;
}

Async<ActivePause> Pauses::activate(Pause pause, bool* has_topic) {
  ActivePause active{std::move(pause)};
  if (active.pause.kind != PauseKind::topic) co_return active;
  CONCERTO_CO_TRY(const std::vector<KvRecord> found,
                  co_await store_.find_kv(topic_category, active.pause.value));
  if (has_topic != nullptr) *has_topic = !found.empty();
  if (found.empty()) co_return active;
  Result<std::vector<std::string>> urls = subscribers_in(found.front());
  active.urls = urls ? std::optional(std::move(*urls)) : std::nullopt;
  co_return active;
}

}  // namespace concerto
