#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/engine/wording.hpp>

namespace concerto {

/// Named lists of subscriber URLs, which steps of a msg address as `topic://<name>` (protocol page
/// 02, section 8). They stand in the store's key-value part and are read from there each time, so
/// that a change counts at once. Usable on any shard.
class Topics {
 public:
  /// All but the wording outlive the topics. `branches` says which URLs can be called.
  Topics(Store& store, const Clock& clock, const BranchCaller& branches, const Wording& wording)
      : store_(store), clock_(clock), branches_(branches), wording_(wording) {}

  /// Error invalid_entry: empty, subscribed already, a URL that nothing could call, or too much.
  Async<> subscribe(std::string topic, std::string url, std::string remark);
  /// Error invalid_entry: empty, unknown, or not subscribed.
  Async<> unsubscribe(std::string topic, std::string url);
  /// Error key_not_found.
  Async<> remove(std::string topic);
  /// Empty for an unknown topic too.
  Async<std::vector<std::string>> subscribers(std::string topic);

 private:
  Async<std::optional<KvRecord>> find(std::string topic);

  Store& store_;
  const Clock& clock_;
  const BranchCaller& branches_;
  const Wording wording_;
};

/// The topic that a step's action names, nullopt for a URL.
std::optional<std::string_view> topic_of(std::string_view action) noexcept;

}  // namespace concerto
